"""The requests of the README and the reference, against a real service with real scenes."""

from __future__ import annotations

import io
import json
import os
import signal

import av
import httpx

from tests.e2e.conftest import QUICK, VIDEO, scene
from tests.e2e.server import Server, ended, innermost
from tests.patience import PATIENCE, until


def decoded(data: bytes) -> tuple[int, int, int]:
    """Return width, height and number of frames of a video."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height, sum(1 for _ in container.decode(stream))


def test_the_original_endpoint_answers_with_a_video(client: httpx.Client) -> None:
    answer = client.post(VIDEO, json={"code": QUICK, "quality": "low", "user_id": "7", "iteration": None})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["message"] == "Video generation completed"
    assert body["executor"] == "local"
    assert body["processingTime"] > 0
    video = client.get(body["video_url"])
    assert video.headers["content-type"] == "video/mp4"
    assert decoded(video.content) == (854, 480, 15)
    sandbox = video.headers["content-security-policy"].rpartition("; ")[2].split()
    assert sandbox == ["sandbox", "allow-same-origin"]  # scripts are not allowed; the origin must be, to play
    part = client.get(body["video_url"], headers={"range": "bytes=4-7"})
    assert part.status_code == 206
    assert part.content == b"ftyp"


def test_progress_lines_come_while_the_scene_runs(client: httpx.Client, server: Server) -> None:
    # The scene's second play waits for a signal that is only sent once the first play's end was received.
    code = scene(
        "import signal",
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})",
        "self.play(Create(Circle()))",
        f"assert signal.sigtimedwait({{signal.SIGUSR1}}, {PATIENCE}), 'the client never saw the first play'",
        "self.wait()",
    )
    lines: list[dict[str, object]] = []
    with client.stream("POST", VIDEO, json={"code": code, "quality": "low", "stream": True}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        for line in answer.iter_lines():
            lines.append(json.loads(line))
            if lines[-1] == {"animationIndex": 0, "percentage": 100}:
                os.kill(innermost(server.processes()), signal.SIGUSR1)
    assert "video_url" in lines[-1], lines[-1]
    for index in (0, 1):
        percents = [line["percentage"] for line in lines if line.get("animationIndex") == index]
        assert percents[0] == 0
        assert percents[-1] == 100
        assert percents == sorted(percents)


def test_a_scene_that_fails_says_where(client: httpx.Client) -> None:
    answer = client.post(VIDEO, json={"code": scene("self.play(Create(Circel()))")})
    assert answer.status_code == 422
    body = answer.json()
    assert body["message"] == "Video generation failed"
    assert body["scene_error"]["code"] == "exception"
    assert body["scene_error"]["line"] == 3
    assert "Did you mean Circle?" in body["scene_error"]["hint"]
    assert all(isinstance(line, str) for line in body["details"])


def test_a_render_is_created_read_and_fetched(client: httpx.Client) -> None:
    code = scene("self.add_subcaption('hello', duration=1)", "self.play(Create(Circle()))")
    created = client.post("/v1/renders", json={"code": code, "quality": "low", "metadata": {"n": 1}})
    assert created.status_code == 202
    location = created.headers["location"]
    until(lambda: client.get(location).json()["status"] not in {"queued", "running"}, "the end of the render")
    render = client.get(location).json()
    assert render["status"] == "succeeded", render
    assert render["metadata"] == {"n": 1}
    assert render["progress"]["percent"] == 100
    assert render["progress"]["frames_done"] == render["result"]["frames"] == 15
    assert client.get(f"{location}/poster").headers["content-type"] == "image/jpeg"
    subtitles = client.get(f"{location}/subtitles")
    assert subtitles.text.startswith("WEBVTT")
    assert "hello" in subtitles.text
    assert client.head(f"{location}/video").headers["content-type"] == "video/mp4"


def test_prefer_wait_answers_with_the_ended_render(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/renders",
        json={"code": QUICK, "resolution": {"width": 64, "height": 64}, "frame_rate": 10, "format": "gif"},
        headers={"Prefer": "wait=60"},
    )
    assert answer.status_code == 200
    assert answer.json()["result"]["media_type"] == "image/gif"
    assert client.get(answer.json()["result"]["video_url"]).content[:6] == b"GIF89a"


def test_cancel_ends_a_running_render(client: httpx.Client, server: Server) -> None:
    created = client.post("/v1/renders", json={"code": scene("while True: pass")}).json()
    path = f"/v1/renders/{created['id']}"
    until(lambda: client.get(path).json()["status"] == "running", "the start")
    assert client.post(f"{path}/cancel").json()["status"] == "canceled"
    until(lambda: not server.scratch(), "an empty working folder")
    again = client.get(path).json()
    assert again["status"] == "canceled"


def test_a_client_that_leaves_cancels_its_render(client: httpx.Client, server: Server) -> None:
    body = {"code": scene("self.play(Create(Circle()))", "while True: pass"), "quality": "low", "stream": True}
    with client.stream("POST", VIDEO, json=body) as answer:
        path = answer.headers["location"]
        next(answer.iter_lines())
    until(lambda: client.get(path).json()["status"] == "canceled", "the cancel")
    until(lambda: not server.scratch(), "an empty working folder")


def test_health_tells_what_it_can_do(client: httpx.Client) -> None:
    answer = client.get("/v1/health")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "healthy"
    assert body["modal_enabled"] is False
    assert body["modal_available"] == "N/A"
    assert body["storage"] == "local"
    assert body["sandbox"]["layers"]
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200


def test_the_same_request_again_is_answered_without_a_render(client: httpx.Client, server: Server) -> None:
    code = scene("self.play(Create(Square()))", "self.wait(0.2)")
    body = {"code": code, "quality": "low"}
    first = ended(client, body)
    assert first["cache"]["hit"] == "none"
    again = client.post("/v1/renders", json=body).json()
    assert (again["status"], again["cache"]["hit"]) == ("succeeded", "result")
    assert again["id"] != first["id"]
    assert again["result"]["sha256"] == first["result"]["sha256"]
    videos = {client.get(render["result"]["video_url"]).content for render in (first, again)}
    assert len(videos) == 1
    stream = client.post(VIDEO, json=body | {"stream": True}).text
    *lines, end = [json.loads(line) for line in stream.splitlines()]
    assert lines == [{"animationIndex": index, "percentage": percentage} for index in (0, 1) for percentage in (0, 100)]
    assert client.get(end["video_url"]).content in videos
    anew = ended(client, body | {"cache": "refresh"})
    assert anew["cache"] == {"hit": "none", "animations_reused": 0, "animations_rendered": 2}
    assert server.scratch() == []
