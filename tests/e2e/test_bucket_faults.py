"""A bucket that fails or is killed, and a service that is killed: no video is lost, and no object is left over."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from manimcast.storage.bucket import PART
from tests import postgres
from tests.buckets import BUCKET, Asked, BucketServer, Proxy
from tests.e2e.conftest import QUICK, scene
from tests.e2e.server import Server, serving, until
from tests.e2e.test_bucket import rendered

NOISE = scene(
    "import numpy as np",
    "noise = lambda: ImageMobject(np.random.randint(0, 255, (540, 960, 4), dtype=np.uint8)).scale_to_fit_height(8)",
    "self.add(always_redraw(noise))",
    "self.wait(1, frozen_frame=False)",
)
LARGE = {
    "code": NOISE,
    "format": "mov",
    "transparent": True,
    "resolution": {"width": 960, "height": 540},
    "frame_rate": 10,
}
"""A video of more than two parts."""


def service(tmp_path: Path, bucket: BucketServer, way: Proxy, **settings: Any) -> Any:
    """Run a service that reaches the bucket through the proxy."""
    fields = {"result_cache": "off", "shutdown_grace": 0, **settings}
    return serving(tmp_path / "data", **bucket.settings(s3_endpoint=way.address), **fields)


def read(client: httpx.Client, render_id: str) -> dict[str, Any]:
    render: dict[str, Any] = client.get(f"/v1/renders/{render_id}").json()
    return render


def in_bucket(client: httpx.Client, render_id: str, way: Proxy) -> dict[str, Any]:
    """Wait until the links of a render lead to the bucket, see that the video is there, and return the render."""

    def arrived() -> dict[str, Any] | None:
        render = read(client, render_id)
        return render if render["result"]["video_url"].startswith(f"{way.address}/{BUCKET}/video-") else None

    render: dict[str, Any] = until(arrived, "the upload")
    video = httpx.get(render["result"]["video_url"])
    assert (video.status_code, len(video.content)) == (200, render["result"]["bytes"])
    return render


def is_served_from_here(server: Server, client: httpx.Client, render: dict[str, Any]) -> None:
    url = render["result"]["video_url"]
    assert url.startswith(f"{server.address}/v1/files/{render['id']}/video.")
    assert len(client.get(url).content) == render["result"]["bytes"]
    assert client.get(url, headers={"range": "bytes=0-3"}).status_code == 206
    assert client.get(f"/v1/renders/{render['id']}/video").status_code == 200


def test_a_bucket_that_fails_for_a_while(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        way.refuse = lambda asked: (503, "SlowDown") if asked.method == "PUT" else None
        render = rendered(client)
        is_served_from_here(server, client, render)
        old_link = render["result"]["video_url"]
        health = client.get("/v1/health").json()
        assert (health["status"], health["uploads"]["pending"]) == ("degraded", 1)
        assert "503" in health["uploads"]["error"]
        assert health["warnings"][-1].startswith("1 uploads or deletions wait for the bucket")
        until(lambda: any("was not uploaded" in line for line in server.log), "the log line")
        way.works()
        in_bucket(client, render["id"], way)
        until(lambda: client.get("/v1/health").json()["uploads"] == {"pending": 0, "error": None}, "a healthy bucket")
        until(lambda: not read_outbox(server.data), "the end of the copy here")
        # The link that was given out before still works as long as it said.
        moved = client.get(old_link)
        assert (moved.status_code, moved.headers["cache-control"]) == (307, "no-store")
        assert len(client.get(old_link, follow_redirects=True).content) == render["result"]["bytes"]


def test_a_video_on_its_way_is_said_to_be_by_services_that_do_not_have_it(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    """With a ``DATA_DIR`` of its own, and behind the same address: links of either are good at both."""
    settings: dict[str, Any] = {"result_cache": "off", "shutdown_grace": 0, "signing_key": "the one key of both"}
    with postgres.running() as database:
        settings["database_url"] = database.fresh()
        ours = settings | bucket.settings(s3_endpoint=way.address, storage_upload_wait=0)
        others = settings | bucket.settings(role="api")
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
        way.hold = lambda asked: asked.is_video
        with (
            serving(tmp_path / "one" / "data", **ours) as one,
            serving(tmp_path / "other" / "data", **others) as other,
            one.client() as client,
            other.client() as elsewhere,
        ):
            render = rendered(client)
            is_served_from_here(one, client, render)
            link = read(elsewhere, render["id"])["result"]["video_url"]
            assert link.startswith(f"{other.address}/v1/files/")
            theirs = render["result"]["video_url"].replace(one.address, other.address)
            for url in (link, theirs, f"/v1/renders/{render['id']}/video"):
                refused = elsewhere.get(url)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
                assert refused.json()["type"] == "urn:manimcast:problem:video-pending"
            at_the_one = link.replace(other.address, one.address)
            assert len(client.get(at_the_one).content) == render["result"]["bytes"]
            way.works()
            until(lambda: elsewhere.get(link).status_code == 307, "the arrival")
            for url in (link, theirs, f"/v1/renders/{render['id']}/video"):
                video = elsewhere.get(url, follow_redirects=True)
                assert (video.status_code, len(video.content)) == (200, render["result"]["bytes"])
            assert read(elsewhere, render["id"])["result"]["video_url"].startswith(f"{bucket.address}/{BUCKET}/")


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [(403, "AccessDenied", "may not write"), (507, "XMinioStorageFull", "is full"), (404, "NoSuchBucket", "no bucket")],
)
def test_a_bucket_that_refuses_loses_nothing(
    tmp_path: Path, bucket: BucketServer, way: Proxy, status: int, code: str, told: str
) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        way.refuse = lambda asked: (status, code) if asked.is_video else None
        render = rendered(client)
        is_served_from_here(server, client, render)
        assert told in client.get("/v1/health").json()["uploads"]["error"]
        way.works()
        in_bucket(client, render["id"], way)


def test_a_slow_bucket_is_not_waited_for_longer_than_wanted(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    with service(tmp_path, bucket, way, storage_upload_wait=0) as server, server.client() as client:
        way.hold = lambda asked: asked.is_video
        render = rendered(client)
        is_served_from_here(server, client, render)
        health = client.get("/v1/health").json()
        assert (health["status"], health["uploads"]["error"]) == ("healthy", None), "nothing is wrong yet"
        way.works()
        in_bucket(client, render["id"], way)


def test_a_large_video_goes_in_parts_and_a_lost_part_is_sent_again(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        second: list[str] = []

        def is_first_try(asked: Asked) -> bool:
            if "partNumber=2&" in f"{asked.query}&":
                second.append(asked.query)
            return second == [asked.query]

        way.cut = is_first_try
        render = rendered(client, **LARGE)
        assert render["result"]["bytes"] > 2 * 5 * 1024 * 1024
        in_bucket(client, render["id"], way)
        assert len(second) == 2
        assert second[0] == second[1], "the part alone, not the whole upload"
        parts = [asked.query for asked in way.passed if asked.is_part and asked.path.endswith(".mov")]
        assert len(parts) == len(set(parts)) >= 3, "each part arrived once"
        assert bucket.unfinished() == []


def test_a_service_that_is_killed_amid_a_large_upload_sends_no_part_twice(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    refused: list[Asked] = []

    def further(asked: Asked) -> tuple[int, str] | None:
        if not (asked.is_part and re.search(r"partNumber=([3-9]|\d\d)", asked.query)):
            return None
        refused.append(asked)
        return 503, "SlowDown"

    def parts() -> list[str]:
        return [asked.query for asked in way.passed if asked.is_part and asked.path.endswith(".mov")]

    way.refuse = further
    with service(tmp_path, bucket, way) as server, server.client() as client:
        render_id = client.post("/v1/renders", json=LARGE).json()["id"]
        until(lambda: len(parts()) == 2 and refused, "the first two parts")
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(60)
    assert bucket.unfinished()
    way.works()
    with service(tmp_path, bucket, way) as server, server.client() as client:
        render = in_bucket(client, render_id, way)
        assert (render["status"], render["attempt"]) == ("succeeded", 1)
        until(lambda: not read_outbox(server.data), "the end of the copy here")
    count = -(-render["result"]["bytes"] // PART)
    assert sorted(parts()) == sorted(set(parts()))
    assert len(parts()) == count >= 3, "each part was sent once, over both services"
    assert bucket.unfinished() == []


def test_a_bucket_that_is_killed_amid_an_upload(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        way.hold = lambda asked: asked.is_part and "partNumber=2" in asked.query
        render_id = client.post("/v1/renders", json=LARGE).json()["id"]
        until(lambda: way.held, "the second part")
        bucket.stop(signal.SIGKILL)
        way.works()
        render = until(lambda: one if (one := read(client, render_id))["status"] == "succeeded" else None, "the end")
        is_served_from_here(server, client, render)
        bucket.start()
        in_bucket(client, render_id, way)


def test_a_service_that_is_killed_amid_an_upload_goes_on_with_it(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        # The poster has arrived, the video has not, and the row says running.
        way.hold = lambda asked: asked.is_video
        render_id = client.post("/v1/renders", json={"code": QUICK, "quality": "low"}).json()["id"]
        until(lambda: way.held, "the upload")
        assert read(client, render_id)["status"] == "running"
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(60)
        assert read_outbox(server.data)
    way.works()
    with service(tmp_path, bucket, way) as server, server.client() as client:
        render = read(client, render_id)
        assert (render["status"], render["attempt"], render["error"]) == ("succeeded", 1, None)
        assert render["result"]["frames"] == 15
        render = in_bucket(client, render_id, way)
        until(lambda: not read_outbox(server.data), "the end of the copy here")
        mine = {httpx.URL(render["result"][name]).path.rpartition("/")[2] for name in ("video_url", "poster_url")}
        assert set(bucket.objects()) == mine
        posters = [asked for asked in way.passed if asked.method == "PUT" and "/poster-" in asked.path]
        assert len(posters) == 1, "what had arrived is not sent again"


def test_a_service_that_is_killed_after_a_cancel_leaves_nothing(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        way.hold = lambda asked: asked.is_video
        render_id = client.post("/v1/renders", json={"code": QUICK, "quality": "low"}).json()["id"]
        until(lambda: way.held, "the upload")
        with httpx.stream("POST", f"{server.address}/v1/renders/{render_id}/cancel", timeout=60):
            pass  # it waits for the deletion, which waits for the upload
        assert read(client, render_id)["status"] == "canceled"
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(60)
        assert read_outbox(server.data)
    way.works()
    until(lambda: [asked for asked in way.passed if asked.is_video], "an object that nobody knows of any more")
    with service(tmp_path, bucket, way) as server, server.client() as client:
        until(lambda: bucket.objects() == [], "the deletion")
        until(lambda: not read_outbox(server.data), "the end of what told of it")
        assert read(client, render_id)["status"] == "canceled"


def test_what_was_kept_is_uploaded_after_a_restart(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        way.refuse = lambda _: (503, "SlowDown")
        render = rendered(client)
        is_served_from_here(server, client, render)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(60)
    # The bucket is still down: a service that has used it before starts all the same.
    with service(tmp_path, bucket, way) as server, server.client() as client:
        again = read(client, render["id"])
        is_served_from_here(server, client, again)
        assert again["attempt"] == 1
        assert client.get("/v1/health").json()["uploads"]["pending"] == 1
        assert any("the bucket cannot be used at the moment" in line for line in server.log)
    # And ends while it is, without waiting for it.
    assert server.process.returncode == 0
    way.works()
    with service(tmp_path, bucket, way) as server, server.client() as client:
        in_bucket(client, render["id"], way)
        until(lambda: not read_outbox(server.data), "the end of the copy here")
        assert len(bucket.objects()) == 2, "a video and a poster"


def test_a_shutdown_amid_an_upload_ends_the_render_and_uploads_later(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        way.hold = lambda asked: asked.is_video
        render_id = client.post("/v1/renders", json={"code": QUICK, "quality": "low"}).json()["id"]
        until(lambda: way.held, "the upload")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
    way.works()
    with service(tmp_path, bucket, way) as server, server.client() as client:
        render = in_bucket(client, render_id, way)
        assert (render["status"], render["attempt"]) == ("succeeded", 1)


def test_a_render_that_is_canceled_amid_its_upload_leaves_nothing(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    with service(tmp_path, bucket, way) as server, server.client() as client:
        way.hold = lambda asked: asked.is_video
        render_id = client.post("/v1/renders", json={"code": QUICK, "quality": "low"}).json()["id"]
        until(lambda: way.held, "the upload")
        assert client.post(f"/v1/renders/{render_id}/cancel").json()["status"] == "canceled"
        way.works()
        until(lambda: client.get("/v1/health").json()["uploads"]["pending"] == 0, "the deletion")
        assert bucket.objects() == []
        until(lambda: not read_outbox(server.data), "the end of the copy here")


def read_outbox(data: Path) -> list[str]:
    """Return what is on its way."""
    return sorted(path.name for path in (data / "outbox").glob("*/*"))
