"""Dry runs through the real service: the timeline before the video, and the video as it was told."""

from __future__ import annotations

import json
import socket

import httpx

from tests.e2e.conftest import scene
from tests.e2e.server import Server, ended
from tests.executors.rig import fresh_mark, running
from tests.patience import until

INSPECT = "/v1/scenes/inspect"
CODE = scene(
    "self.next_section('first')",
    "self.play(Create(Circle()), run_time=0.5, subcaption='a circle')",
    "self.next_section('second')",
    "self.wait(0.7)",
    "self.play(FadeOut(self.mobjects[0]), run_time=0.3)",
)


def test_what_is_told_beforehand_is_what_comes(client: httpx.Client) -> None:
    body = {"code": CODE, "quality": "low"}
    answer = client.post(INSPECT, json=body)
    assert answer.status_code == 200, answer.text
    (report,) = answer.json()["reports"]
    render = ended(client, body)
    result = render["result"]
    for key in ("frames", "duration", "width", "height", "frame_rate"):
        assert report[key] == result[key], key
    told = [(one["name"], one["start"], one["duration"]) for one in report["sections"]]
    assert told == [(one["name"], one["start"], one["duration"]) for one in result["sections"]]
    assert [play["kind"] for play in report["plays"]] == ["Create", "Wait", "FadeOut"]
    assert [play["line"] for play in report["plays"]] == [4, 6, 7]
    assert report["subcaptions"] == [{"text": "a circle", "start": 0.0, "end": 0.533333}]
    assert report["warnings"] == []
    assert report["estimate"]["seconds"] > 0
    assert render["cost"]["basis"].partition(" x ")[2] == report["estimate"]["basis"].partition(" x ")[2]


def test_several_scenes_and_one_that_fails(client: httpx.Client) -> None:
    code = CODE + scene("self.play(Wriet(Square()))").replace("Demo", "Wrong")
    body = client.post(INSPECT, json={"code": code}).json()
    assert body["scenes"] == ["Demo", "Wrong"]
    good, wrong = body["reports"]
    assert good["error"] is None
    assert wrong["error"]["hint"] == "Did you mean Write?"
    assert wrong["error"]["line"] == 10


def test_a_client_that_leaves_ends_it(client: httpx.Client, server: Server) -> None:
    mark = fresh_mark()
    body = json.dumps({"code": scene("import subprocess", f"subprocess.run(['sleep', '{mark}'])")}).encode()
    head = f"POST {INSPECT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    url = httpx.URL(server.address)
    with socket.create_connection((url.host, url.port or 80)) as impatient:
        impatient.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        until(lambda: running(mark), "the dry run")
    until(lambda: not running(mark), "the end of the dry run")


def test_latex_is_typeset_as_for_a_render(client: httpx.Client) -> None:
    code = scene("self.play(Write(MathTex(r'\\frac{a}{b}')), run_time=0.2)")
    (report,) = client.post(INSPECT, json={"code": code}).json()["reports"]
    assert (report["error"], report["frames"]) == (None, 6)
    wrong = scene("self.play(Write(MathTex(r'\\foo{a}')))")
    (report,) = client.post(INSPECT, json={"code": wrong}).json()["reports"]
    assert report["error"]["code"] == "latex_error"
