"""A real batch of real scenes becomes one video, through the whole service."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest

from manimcast.executors.local import LocalExecutor
from tests.patience import PATIENCE

from .conftest import Start, finished, make_settings

pytestmark = pytest.mark.anyio

SCENE = "class A(Scene):\n    def construct(self):\n        self.play(Create({shape}()), run_time=0.4)\n"


def planes(content: bytes) -> list[bytes]:
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


async def test_scenes_of_a_batch_in_one_video(start: Start, tmp_path: Path):
    executor = LocalExecutor(make_settings(tmp_path, {"render_timeout": PATIENCE}))
    async with start(executor, render_timeout=PATIENCE) as api:
        renders = [
            {"code": SCENE.format(shape=shape), "quality": "low", "metadata": {"title": shape}}
            for shape in ("Circle", "Square")
        ]
        created = await api.client.post("/v1/batches", json={"renders": renders, "join": True})
        assert created.status_code == 202, created.text
        path = created.headers["location"]
        assert created.json()["join"] == {"status": "waiting", "error": None, "result": None}
        waiting = await api.client.get(f"{path}/video")
        assert (waiting.status_code, waiting.json()["type"]) == (409, "urn:manimcast:problem:not-finished")
        batch = await finished(api, path)
        assert batch["join"]["status"] == "succeeded", batch
        result = batch["join"]["result"]
        video = (await api.client.get(f"{path}/video")).content
        assert (await api.client.get(result["video_url"])).content == video
        assert (len(video), result["frames"]) == (result["bytes"], 12)
        assert [chapter["title"] for chapter in result["chapters"]] == ["Circle", "Square"]
        listed = (await api.client.get(f"{path}/renders")).json()["renders"]
        single = [(await api.client.get(one["result"]["video_url"])).content for one in listed]
        assert planes(video) == [plane for content in single for plane in planes(content)]
        assert (await api.client.delete(path)).status_code == 204
        assert (await api.client.get(result["video_url"])).status_code == 404
