"""Disks that are full to the last byte, under a real service: what was accepted is rendered, and it goes on alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from manimcast.webhooks import new_secret
from tests.buckets import nanio
from tests.disks import Disk, needs_disks
from tests.e2e.conftest import scene
from tests.e2e.server import Server, ended, serving
from tests.faults.receiver import receiving
from tests.patience import until

pytestmark = needs_disks

MIB = 1 << 20
SMALL: dict[str, Any] = {"resolution": {"width": 64, "height": 64}, "frame_rate": 10}
ENDED = {"succeeded", "failed", "canceled"}


def body(number: int, *, plays: int = 1) -> dict[str, Any]:
    """Return a request whose result, and whose segments, no other one has."""
    lines = [f"self.play(Rotate(Square(), {number}.{play}1), run_time=0.5)" for play in range(plays)]
    return {"code": scene(*lines), **SMALL}


def is_video(client: httpx.Client, render: dict[str, Any]) -> bool:
    answer = client.get(render["result"]["video_url"])
    return answer.headers["content-type"] == "video/mp4" and len(answer.content) == render["result"]["bytes"]


def said(server: Server, words: str) -> int:
    return sum(words in line for line in server.log)


def test_a_database_without_room_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    disk = Disk(".", 48 * MIB)
    with (
        receiving(new_secret(), random.Random(1)) as receiver,
        serving(
            tmp_path / "data",
            disks=[disk],
            render_slots=1,
            lease_ttl=3,
            webhook_secret=receiver.secret,
            webhook_allowed_networks="127.0.0.1/32",
        ) as server,
        server.client() as client,
    ):
        before = ended(client, body(1))
        accepted = []
        for number in range(2, 5):
            wanted = body(number, plays=8) | {"webhook": {"url": receiver.url}}
            accepted.append(client.post("/v1/renders", json=wanted).json()["id"])
        until(lambda: client.get(f"/v1/renders/{accepted[0]}").json()["status"] == "running", "the first one's start")
        disk.fill()
        refused = client.post("/v1/renders", json=body(9), headers={"idempotency-key": "again"})
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert refused.json()["type"] == "urn:manimcast:problem:storage-unavailable"
        assert "disk is full" in refused.json()["detail"]
        asset = {"file": ("numbers.csv", b"1,2\n" * 10_000)}
        refused = client.post("/v1/assets", files=asset)
        assert refused.status_code == 503
        assert "No space left on device" in refused.json()["detail"]
        assert [path.name for path in (disk.at / "incoming").iterdir()] == []
        assert client.get("/livez").status_code == 200
        assert client.get(f"/v1/renders/{before['id']}").json()["status"] == "succeeded", "what is there can be read"
        assert is_video(client, before)
        until(lambda: said(server, "disk is full"), "a write that fails")
        disk.free()
        for render_id in accepted:
            until(lambda: client.get(f"/v1/renders/{render_id}").json()["status"] in ENDED, render_id)  # noqa: B023
            found = client.get(f"/v1/renders/{render_id}").json()
            if render_id == accepted[0] and found["status"] == "failed":  # it was to be stored while there was no room
                assert "No space left on device" in found["error"]["message"], server.log[-30:]
            else:
                assert found["status"] == "succeeded", (found["error"], server.log[-30:])
                assert is_video(client, found)
        asked = client.post("/v1/renders", json=body(9), headers={"idempotency-key": "again", "prefer": "wait=60"})
        assert asked.status_code in {200, 202}, "the key was not taken by what was refused"
        assert client.post("/v1/assets", files=asset).status_code == 201
        until(
            lambda: {told.render["id"] for told in list(receiver.told) if told.status == 204} == {*accepted}, "webhooks"
        )
        until(lambda: not server.scratch(), "empty working folders")


@pytest.mark.parametrize("folder", ["videos", "work"])
def test_a_video_for_which_there_is_no_room_is_explained_and_the_next_one_is_kept(tmp_path: Path, folder: str) -> None:
    disk = Disk(folder, MIB)
    with serving(tmp_path / "data", disks=[disk], render_slots=1) as server, server.client() as client:
        disk.fill()
        failed = ended(client, body(1))
        assert (failed["status"], failed["error"]["code"]) == ("failed", "internal")
        assert "No space left on device" in failed["error"]["message"]
        assert [path.name for path in disk.at.iterdir() if path.name != "ballast" and any(path.iterdir())] == []
        disk.free()
        found = ended(client, body(1))
        assert found["status"] == "succeeded"
        assert is_video(client, found)


def test_caches_without_room_keep_nothing_and_renders_go_on(tmp_path: Path) -> None:
    disk = Disk("cache", MIB)
    with serving(tmp_path / "data", disks=[disk], render_slots=1) as server, server.client() as client:
        assert ended(client, body(1))["status"] == "succeeded"
        disk.fill()
        for number in (2, 3):
            found = ended(client, body(number, plays=2))
            assert (found["status"], found["cache"]["hit"]) == ("succeeded", "none")
            assert is_video(client, found)
        assert said(server, "No space left on device") == 2, "once for each cache, results and segments"
        disk.free()
        kept = ended(client, body(4, plays=2))
        assert kept["status"] == "succeeded"
        assert client.delete(f"/v1/renders/{kept['id']}").status_code == 204
        again = ended(client, body(4, plays=2))
        assert again["cache"]["hit"] == "result", "kept again without a restart"


def test_an_outbox_without_room_is_explained_and_the_next_video_arrives(tmp_path: Path) -> None:
    disk = Disk("outbox", MIB)
    with (
        nanio(tmp_path / "bucket") as bucket,
        serving(tmp_path / "data", disks=[disk], render_slots=1, **bucket.settings()) as server,
        server.client() as client,
    ):
        disk.fill()
        failed = ended(client, body(1))
        assert (failed["status"], failed["error"]["code"]) == ("failed", "internal")
        assert "No space left on device" in failed["error"]["message"]
        disk.free()
        found = ended(client, body(1))
        assert found["status"] == "succeeded"
        until(lambda: client.get("/v1/health").json()["uploads"]["pending"] == 0, "the upload")
        assert httpx.get(client.get(f"/v1/renders/{found['id']}").json()["result"]["video_url"]).status_code == 200
