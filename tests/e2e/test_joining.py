"""One video of a batch, by real services: as it should be, and when the one that makes it is killed."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from tests import postgres
from tests.buckets import Asked, BucketServer, Proxy
from tests.e2e.conftest import scene
from tests.e2e.server import Server, serving
from tests.e2e.server import ended as rendered
from tests.patience import until

SHAPES = ("Circle", "Square", "Triangle")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The settings of a database; on PostgreSQL, services have no ``DATA_DIR`` in common."""
    if request.param == "sqlite":
        yield {}
    else:
        with postgres.running() as server:
            yield {"database_url": server.fresh()}


def render_of(shape: str) -> dict[str, Any]:
    return {"code": scene(f"self.play(Create({shape}()), run_time=0.4)"), "quality": "low"}


def asked_for(client: httpx.Client) -> str:
    """Ask for a batch that is to become one video; return its address."""
    renders = [render_of(shape) | {"metadata": {"title": shape}} for shape in SHAPES]
    created = client.post("/v1/batches", json={"renders": renders, "join": True})
    assert created.status_code == 202, created.text
    return created.headers["location"]


def ended(client: httpx.Client, path: str) -> dict[str, Any]:
    """Wait for the end of a batch."""

    def over() -> dict[str, Any] | None:
        batch: dict[str, Any] = client.get(path).json()
        return batch if batch["finished_at"] else None

    batch = until(over, "the end of the batch")
    assert batch is not None
    assert batch["join"]["status"] == "succeeded", batch
    return batch


def pictures(content: bytes) -> list[bytes]:
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


def key_of(url: str) -> str:
    return httpx.URL(url).path.rpartition("/")[2]


def plays(client: httpx.Client, path: str, batch: dict[str, Any]) -> set[str]:
    """See that the one video plays what its renders play, in their order; return the objects of all of them."""
    result = batch["join"]["result"]
    video = httpx.get(result["video_url"]).content
    assert (len(video), hashlib.sha256(video).hexdigest()) == (result["bytes"], result["sha256"])
    listed = client.get(f"{path}/renders").json()["renders"]
    single = [httpx.get(one["result"]["video_url"]).content for one in listed]
    assert pictures(video) == [picture for content in single for picture in pictures(content)]
    with av.open(io.BytesIO(video)) as container:
        chapters = [
            (one["metadata"]["title"], float(one["start"] * one["time_base"]), float(one["end"] * one["time_base"]))
            for one in container.chapters()
        ]
    assert chapters == [(one["title"], one["start"], one["end"]) for one in result["chapters"]]
    assert [title for title, _, _ in chapters] == list(SHAPES)
    urls = [one["result"][name] for one in listed for name in ("video_url", "poster_url")]
    return {key_of(url) for url in (result["video_url"], *urls)}


def test_a_batch_becomes_one_object_of_a_bucket(tmp_path: Path, bucket: BucketServer) -> None:
    with serving(tmp_path / "data", **bucket.settings()) as server, server.client() as client:
        path = asked_for(client)
        batch = ended(client, path)
        assert batch["status"] == "succeeded"
        assert plays(client, path, batch) == set(bucket.objects())
        assert batch["join"]["result"]["video_url"].startswith(bucket.address)
        led = client.get(f"{path}/video")
        assert (led.status_code, key_of(led.headers["location"])) == (307, key_of(batch["join"]["result"]["video_url"]))
        assert client.delete(path).status_code == 204
        until(lambda: bucket.objects() == [], "the end of all objects")
        assert server.scratch() == []


def reads(asked: Asked) -> bool:
    return asked.is_video and asked.method == "GET"


def held(way: Proxy, what: str, *, then: bool = False) -> None:
    """Wait until a request is held; ``then`` let it pass, and hold the writing of the next video."""
    until(lambda: way.held, what)
    if then:
        before, way.released = way.released, threading.Event()
        way.held.clear()
        way.hold = lambda asked: asked.is_video and asked.method in {"PUT", "POST"}
        before.set()


def kill(server: Server) -> None:
    """Kill a service, and see that all of it goes."""
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait(60)
    until(lambda: not server.processes(), "the end of its processes")


@pytest.mark.parametrize("amid", ["reading", "storing"])
def test_a_service_that_is_killed_while_it_joins(
    tmp_path: Path, database: dict[str, Any], bucket: BucketServer, way: Proxy, amid: str
) -> None:
    """Another one takes over, or the same one when it is back; nothing is lost, nothing stays that nobody shows."""
    settings = {"lease_ttl": 3, "shutdown_grace": 0, **database, **bucket.settings(s3_endpoint=way.address)}
    folders = [tmp_path / name / "data" for name in ("one", "other" if database else "one")]
    for folder in folders:
        folder.parent.mkdir(exist_ok=True)
    with ExitStack() as stack:
        way.hold = reads
        first = stack.enter_context(serving(folders[0], **settings))
        with first.client() as client:
            path = asked_for(client)
            held(way, "the first video that is to be joined", then=amid == "storing")
            if amid == "storing":
                held(way, "the joined video")
            assert client.get(path).json()["join"]["status"] == "running"
        others = [stack.enter_context(serving(folders[1], **settings))] if database else []
        kill(first)
        way.works()
        others = others or [stack.enter_context(serving(folders[1], **settings))]
        with others[0].client() as client:
            batch = ended(client, path)
            assert batch["status"] == "succeeded"
            objects = plays(client, path, batch)
            back = [stack.enter_context(serving(folders[0], **settings))] if database else []
            until(lambda: set(bucket.objects()) == objects, "the end of what the first one had stored")
            for server in (*others, *back):
                until(lambda: server.scratch() == [], "empty working folders")  # noqa: B023
                until(lambda: list((server.data / "outbox").glob("*/*")) == [], "an empty outbox")  # noqa: B023
            assert client.delete(path).status_code == 204
            until(lambda: bucket.objects() == [], "the end of all objects")


def test_a_service_that_is_killed_while_it_joins_files_of_its_folder(tmp_path: Path) -> None:
    """When it is back it joins them anew, and of what it had begun nothing stays."""
    settings = {"lease_ttl": 3, "shutdown_grace": 0}
    with ExitStack() as stack:
        first = stack.enter_context(serving(tmp_path / "data", **settings))
        with first.client() as client:
            for shape in SHAPES:
                assert rendered(client, render_of(shape))["status"] == "succeeded"
            confined = [pid for pid in first.processes() if pid != first.process.pid]
            for pid in confined:
                os.kill(pid, signal.SIGSTOP)  # what joins will be asked for, and not begin
            path = asked_for(client)
            until(lambda: client.get(path).json()["join"]["status"] == "running", "the join's beginning")
            until(first.scratch, "the join's folder")
        first.process.kill()
        for pid in confined:
            os.kill(pid, signal.SIGCONT)
        kill(first)
        second = stack.enter_context(serving(tmp_path / "data", **settings))
        with second.client() as client:
            batch = ended(client, path)
            assert batch["status"] == "succeeded"
            shown = plays(client, path, batch)
            until(lambda: files(second) == shown, "the end of what the first one had begun")
            until(lambda: second.scratch() == [], "empty working folders")
            assert client.delete(path).status_code == 204


def files(server: Server) -> set[str]:
    """Return the videos and posters that a service keeps."""
    return {path.name for path in (server.data / "videos").rglob("*") if path.is_file()}
