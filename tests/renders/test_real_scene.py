"""One real scene through the whole life of a render: the table, this machine's executor, the storage."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from manimcast.executors.local import LocalExecutor
from manimcast.renders import RenderService, RenderStatus, RenderStore
from manimcast.renders.events import EventType
from manimcast.settings import Settings
from manimcast.spec import ErrorCode
from manimcast.storage import LocalStorage
from tests.patience import PATIENCE

from .listening import heard, short
from .scripted import a_spec

pytestmark = pytest.mark.anyio

SCENE = """
class Shapes(Scene):
    def construct(self):
        self.play(Create(Circle()), run_time=0.4)
        self.wait(0.2)
        self.play(FadeOut(self.mobjects[0]), run_time=0.4)
"""
SEGMENTS = [(0, "Create", 6, 0.4), (1, "Wait", 3, 0.2), (2, "FadeOut", 6, 0.4)]
"""The plays: index, kind, frames, seconds."""


def frames_in(video: Path) -> int:
    """Count the frames that come out of a decoder, in a process of its own."""
    program = "import av, sys; print(sum(1 for _ in av.open(sys.argv[1]).decode(video=0)))"
    return int(subprocess.run([sys.executable, "-c", program, video], stdout=subprocess.PIPE, check=True).stdout)


async def test_a_scene_becomes_a_video_and_a_broken_one_an_error(settings: Callable[..., Settings]) -> None:
    chosen = settings(render_timeout=PATIENCE)
    storage = LocalStorage(chosen)
    service = RenderService(chosen, RenderStore(chosen), [LocalExecutor(chosen)], storage)
    await service.start()
    try:
        render = await service.submit(a_spec(code=SCENE, quality="low"), tenant="t")
        events = await heard(service, render.id)
        done = await service.wait(render.id, tenant="t")
        assert done.status is RenderStatus.succeeded, done.error
        assert done.executor == "local"
        assert done.result is not None
        assert done.cost is not None
        assert done.cost.usd_estimate == 0, "this machine costs nothing unless the operator says so"
        assert " s x (" in done.cost.basis
        assert (done.result.width, done.result.height, done.result.frames) == (854, 480, 15)
        segments = [event.data for event in events if event.type is EventType.segment]
        assert [(one["animation_index"], one["kind"], one["frames"], one["duration"]) for one in segments] == SEGMENTS
        assert short(events[-2]) == ("progress", 2, 100)
        assert [short(event) for event in events[:2]] == [("queued",), ("running", "local", 1)]

        video = storage.path(render.id, done.result.video.name)
        assert video.stat().st_size == done.result.bytes
        assert await asyncio.to_thread(frames_in, video) == 15

        broken = await service.submit(a_spec(code=SCENE.replace("Circle()", "Circel()"), quality="low"), tenant="t")
        failed = await service.wait(broken.id, tenant="t", timeout=PATIENCE)
        assert failed.status is RenderStatus.failed
        assert failed.error is not None
        assert (failed.error.code, failed.error.line) == (ErrorCode.exception, 4)
        assert failed.attempt == 1
    finally:
        await service.stop(grace=0)
    assert list((chosen.data_dir / "work").iterdir()) == []
