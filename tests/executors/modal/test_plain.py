"""The function that anybody may call: one plain answer for each request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest

from manimcast.executors.modal.container import USER_VARIABLE, Container
from manimcast.executors.modal.plain import compile_scene
from tests.executors.modal.test_container import end
from tests.executors.rig import RING, SMALL, scene
from tests.patience import PATIENCE

ANSWER = {
    "success", "video_bytes", "progress_updates", "duration", "logs", "error", "details", "scene_error", "report",
    "seconds",
}  # fmt: skip


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("empty"))
        patch.setenv(USER_VARIABLE, "")
        patch.setenv("RENDER_MEMORY", "1024")
        patch.setenv("RENDER_TIMEOUT", f"{PATIENCE:g}")
        running = Container.warm()
        yield running
    end(running)


def ask(container: Container, **request: Any) -> dict[str, Any]:
    answer = compile_scene(container, SMALL | request)
    assert set(answer) == ANSWER
    assert cbor2.loads(cbor2.dumps(answer)) == answer  # what Modal sends
    assert answer["seconds"] >= 0
    return answer


def test_success(container: Container) -> None:
    answer = ask(container, code=scene(f"print('hello')\n{RING}\nself.wait(0.2)"), scene=None, seed=3)
    assert answer["success"] is True
    assert answer["video_bytes"][4:8] == b"ftyp"
    assert answer["duration"] == pytest.approx(0.5)
    assert answer["logs"] == ["hello"]
    assert (answer["error"], answer["details"], answer["scene_error"]) == (None, [], None)
    report = answer["report"]
    assert json.dumps(report)
    assert (report["scene"], report["seed"], report["animations"]) == ("Demo", 3, 2)
    assert report["fingerprint"]["manim"] == "0.22.0"
    updates = answer["progress_updates"]
    for index in (0, 1):
        percentages = [update["percentage"] for update in updates if update["animationIndex"] == index]
        assert percentages[0] == 0
        assert percentages[-1] == 100
        assert percentages == sorted(set(percentages))


def test_a_scene_that_fails(container: Container) -> None:
    answer = ask(container, code=scene("print('before')\nundefined_name"))
    assert answer["success"] is False
    assert answer["video_bytes"] is None
    assert "undefined_name" in answer["error"]
    assert answer["details"][0] == answer["error"]
    error = answer["scene_error"]
    assert (error["code"], error["exception"], error["line"]) == ("exception", "NameError", 5)
    assert answer["logs"] == ["before"]


def test_a_scene_that_is_not_there(container: Container) -> None:
    answer = ask(container, code=scene(RING), scene="Dmo")
    assert answer["scene_error"]["code"] == "scene_not_found"
    assert "Demo" in json.dumps(answer["scene_error"])


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"code": ""}, "python_code: No code provided"),
        ({"code": 1}, "python_code: "),
        ({"quality": "best"}, "quality: "),
        ({"engine": "cairo3"}, "rendering_engine: "),
        ({"aspect_ratio": "2:1"}, "aspect_ratio: "),
        ({"invented": 1}, "invented: "),
        ({"resolution": {"width": 1, "height": 72}}, "resolution.width: "),
        ({"timeout": -1}, "timeout: "),
        ({"transparent": True}, "request: format mp4 cannot be transparent"),
    ],
)
def test_a_request_that_makes_no_sense(container: Container, request_: dict[str, Any], field: str) -> None:
    answer = ask(container, **({"code": scene(RING)} | request_))
    assert answer["success"] is False
    assert answer["error"].startswith(field)
    assert answer["details"] == [answer["error"]]
    assert answer["scene_error"] is None


def test_several_mistakes(container: Container) -> None:
    answer = ask(container, code=scene(RING), quality="best", engine="best")
    assert [line.partition(":")[0] for line in answer["details"]] == ["rendering_engine", "quality"]
    assert answer["error"] == "; ".join(answer["details"])


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({"format": "gif"}, b"GIF8"),
        ({"format": "png", "transparent": True}, b"\x89PNG"),
        ({"format": "webm"}, b"\x1aE\xdf\xa3"),
        ({"save_sections": True}, b"\0\0\0"),
    ],
)
def test_options(container: Container, options: dict[str, Any], start: bytes) -> None:
    answer = ask(container, code=scene(RING), **options)
    assert answer["video_bytes"].startswith(start)
    assert (answer["report"]["width"], answer["report"]["height"]) == (128, 72)


def test_a_timeout_of_its_own(container: Container) -> None:
    answer = ask(container, code=scene("while True: pass"), timeout=0.5)
    assert answer["scene_error"]["code"] == "timeout"
    assert answer["error"] == "The render took longer than 0.5 seconds."


def test_not_longer_than_the_container_may_take(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENDER_TIMEOUT", "0.5")
    assert ask(container, code=scene("while True: pass"), timeout=100)["scene_error"]["code"] == "timeout"
    assert ask(container, code=scene("while True: pass"))["scene_error"]["code"] == "timeout"


def test_a_container_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is an exception, so that Modal tries again in another container."""
    monkeypatch.setenv(USER_VARIABLE, "nobody-of-this-name")
    broken = Container.warm()
    with pytest.raises(RuntimeError, match=r"the container could not render: .* no user nobody-of-this-name"):
        compile_scene(broken, {"code": scene(RING)})
    end(broken)
