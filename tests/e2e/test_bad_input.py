"""Whatever is posted, the answer is clear, nothing stays behind, and the next render works."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import QUICK, VIDEO, scene
from tests.e2e.server import Server, ended, serving
from tests.executors.rig import fresh_mark, running
from tests.patience import until

TWO = QUICK + "class Other(Scene):\n    pass\n"

SCENES: dict[str, tuple[dict[str, Any], int, str]] = {
    "syntax error": ({"code": "class Demo(Scene:\n"}, 422, "syntax_error"),
    "no scene": ({"code": "x = 1"}, 422, "no_scene"),
    "two scenes": ({"code": TWO}, 422, "scene_not_found"),
    "wrong class": ({"code": QUICK, "file_class": "Dmeo"}, 422, "scene_not_found"),
    "exception": ({"code": scene("self.wait()", "1 / 0")}, 422, "exception"),
    "infinite recursion": ({"code": scene("self.construct()")}, 422, "exception"),
    "sys.exit": ({"code": scene("import sys", "sys.exit()")}, 422, "exception"),
    "os._exit": ({"code": scene("import os", "os._exit(0)")}, 422, "exception"),
    "closed descriptors": (
        {"code": scene("import os", "os.closerange(0, 500)", "self.play(Create(Circle()))")},
        422,
        "exception",
    ),
    "segmentation fault": ({"code": scene("import ctypes", "ctypes.string_at(0)")}, 422, "exception"),
    "a line of a million characters": (
        {"code": "x = '" + "a" * 200_000 + "'\nclass Demo(Scene):\n    def construct(self): boom\n"},
        422,
        "exception",
    ),
    "printing without end": ({"code": scene("while True: print('x' * 1000)")}, 422, "output_too_large"),
    "too long": ({"code": scene("self.wait(10000)")}, 422, "output_too_large"),
    "too many pixels": ({"code": "config.pixel_width = 100000\n" + QUICK}, 422, "output_too_large"),
    "too much memory": ({"code": scene("x = []", "while True: x.append(b'1' * 10**8)")}, 422, "out_of_memory"),
    "memory of many processes": (
        {
            "code": scene(
                "import os, time",
                "for _ in range(8):",
                "    if os.fork() == 0:",
                "        x = bytearray(os.urandom(1)) * (150 << 20)",
                "        time.sleep(60)",
                "time.sleep(60)",
            )
        },
        422,
        "out_of_memory",
    ),
    "many processes": (
        {"code": scene("import os, time", "for _ in range(100):", "    if os.fork() == 0: time.sleep(60)")},
        422,
        "forbidden",
    ),
    "network": ({"code": scene("import socket", "socket.create_connection(('192.0.2.1', 80))")}, 422, "forbidden"),
    "bad TeX": ({"code": scene(r"MathTex(r'\frac{a}{\foo}')")}, 422, "latex_error"),
    "its own folder removed": (
        {"code": scene("import shutil", "self.play(Create(Circle()))", "shutil.rmtree('.', ignore_errors=True)")},
        500,
        "internal",
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_bad_scene_gets_a_clear_answer(client: httpx.Client, server: Server, name: str) -> None:
    body, status, code = SCENES[name]
    answer = client.post(VIDEO, json={"quality": "low"} | body)
    assert answer.status_code == status, answer.text
    failure = answer.json()
    assert failure["scene_error"]["code"] == code, failure
    assert failure["error"]
    assert str(server.data) not in answer.text
    until(lambda: not server.scratch(), "an empty working folder")
    assert client.post(VIDEO, json={"code": QUICK, "quality": "low"}).status_code == 200


def test_an_endless_loop_times_out(client: httpx.Client, server: Server) -> None:
    mark = fresh_mark()
    code = scene("import subprocess", f"subprocess.Popen(['sleep', '{mark}'])", "while True: pass")
    assert ended(client, {"code": code, "timeout": 2})["error"]["code"] == "timeout"
    until(lambda: not server.scratch(), "an empty working folder")
    assert not running(mark)


def test_a_process_that_hides_does_not_outlive_its_render(client: httpx.Client) -> None:
    mark = fresh_mark()
    code = scene(
        "import os, subprocess",
        "if os.fork() == 0:",
        "    os.setsid()",
        f"    subprocess.Popen(['sleep', '{mark}'], start_new_session=True)",
        "    os._exit(0)",
        "os.wait()",
        "self.play(Create(Circle()))",
    )
    assert client.post(VIDEO, json={"code": code, "quality": "low"}).status_code == 200
    assert not running(mark)


def test_the_original_endpoint_says_504_when_the_time_is_over(tmp_path: Path) -> None:
    with serving(tmp_path / "data", render_timeout=1) as server, server.client() as client:
        answer = client.post(VIDEO, json={"code": scene("while True: pass")})
    assert answer.status_code == 504
    assert answer.json()["error"] == "Compilation timed out"


REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({}, "No code provided"),
    "null code": ({"code": None}, "No code provided"),
    "blank code": ({"code": "  \n"}, "No code provided"),
    "code is a number": ({"code": 7}, "code must be a string"),
    "quality": ({"code": QUICK, "quality": "best"}, "quality must be one of"),
    "aspect ratio": ({"code": QUICK, "aspect_ratio": "2:1"}, "aspect_ratio must be one of"),
    "engine": ({"code": QUICK, "rendering_engine": "webgl"}, "rendering_engine must be"),
    "stream": ({"code": QUICK, "stream": "maybe"}, "stream must be"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_bad_request_names_the_field(client: httpx.Client, name: str) -> None:
    body, message = REQUESTS[name]
    answer = client.post(VIDEO, json=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_bodies_that_are_no_requests(client: httpx.Client) -> None:
    as_json = {"content-type": "application/json"}
    assert client.post(VIDEO, content=b"\xff\xfe{", headers=as_json).status_code == 400
    assert client.post(VIDEO, content=b"[1]", headers=as_json).status_code == 400
    assert client.post(VIDEO, content=b"{", headers=as_json).status_code == 400
    assert client.post(VIDEO, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post(VIDEO, content=b" " * 2_000_000, headers=as_json).status_code == 413
    assert client.post(VIDEO, json={"code": "x" * 300_000}).status_code == 400


def test_a_web_page_cannot_drive_it(client: httpx.Client) -> None:
    assert client.post(VIDEO, json={"code": QUICK}, headers={"host": "evil.example"}).status_code == 403
    assert client.post(VIDEO, json={"code": QUICK}, headers={"origin": "https://evil.example"}).status_code == 403


def test_a_client_that_hangs_up_in_mid_request_harms_nobody(client: httpx.Client) -> None:
    port = httpx.URL(str(client.base_url)).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST /v1/video/rendering HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{")
    assert client.get("/livez").status_code == 200
