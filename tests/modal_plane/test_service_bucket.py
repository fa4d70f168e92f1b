"""What is rendered in containers goes into the bucket like what is rendered here: the container has no part in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.buckets import BUCKET, BucketServer, nanio
from tests.modal_plane.running import RunningPlane, until
from tests.modal_plane.service import QUICK, VIDEO, Service, deploy, service


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    with nanio(tmp_path_factory.mktemp("nanio")) as running:
        yield running


@pytest.fixture(scope="module")
def running(
    module_plane: RunningPlane, bucket: BucketServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    deploy(module_plane, modal_memory=1536)
    with service(module_plane, tmp_path_factory.mktemp("service"), **bucket.settings()) as started:
        started.until_modal()
        yield started


def test_both_executors_fill_the_same_bucket(running: Service, modal_plane: RunningPlane, bucket: BucketServer) -> None:
    # With a preset x264 encodes everything, also where no native part was compiled.
    asked = {"encoder_preset": "superfast"}
    there, here = (running.until(running.submit(executor=name, **asked)) for name in ("modal", "local"))
    assert (there["executor"], here["executor"]) == ("modal", "local")
    for render in (there, here):
        for name in ("video_url", "poster_url"):
            assert render["result"][name].startswith(f"{bucket.address}/{BUCKET}/")
        video = httpx.get(render["result"]["video_url"])
        assert (video.status_code, video.headers["content-type"]) == (200, "video/mp4")
        assert len(video.content) == render["result"]["bytes"]
        assert httpx.get(render["result"]["video_url"].partition("?")[0]).status_code == 403
    assert there["result"]["sha256"] == here["result"]["sha256"]


def test_a_stream_ends_with_the_bucket(running: Service, modal_plane: RunningPlane, bucket: BucketServer) -> None:
    told = running.stream()
    assert told.end["executor"] == "modal"
    assert told.end["video_url"].startswith(f"{bucket.address}/{BUCKET}/video-")
    assert httpx.get(told.end["video_url"]).status_code == 200


def test_a_bucket_that_is_down_loses_no_render(
    running: Service, modal_plane: RunningPlane, bucket: BucketServer
) -> None:
    bucket.stop()
    try:
        answer = running.client.post(VIDEO, json={"code": QUICK, "quality": "low_quality"}).json()
        assert answer["executor"] == "modal"
        assert answer["video_url"].startswith(f"{running.server.address}/v1/files/")
        assert running.client.get(answer["video_url"]).status_code == 200
        render_id = answer["render_id"]
    finally:
        bucket.start()
    until(lambda: running.get(render_id)["result"]["video_url"].startswith(bucket.address), "the upload")
    assert httpx.get(running.get(render_id)["result"]["video_url"]).status_code == 200


def test_the_containers_know_nothing_of_the_bucket(running: Service, modal_plane: RunningPlane, tmp_path: Path) -> None:
    code = """
import os
class Demo(Scene):
    def construct(self):
        raise RuntimeError(str(sorted(name for name in os.environ if name.startswith(("S3_", "STORAGE_", "AWS_")))))
"""
    error = running.until(running.submit(code))["error"]
    assert error["message"].endswith("[]"), error
