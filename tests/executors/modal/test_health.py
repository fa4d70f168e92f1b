"""What is kept of what containers say of themselves: text of limited length, whatever they send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from manimcast.executors.modal.health import Health


def test_nothing_is_known_at_first() -> None:
    health = Health()
    assert health.told is None
    assert health.sandbox == {"tier": "container", "layers": []}


def test_what_a_render_tells() -> None:
    health = Health()
    health.learn({"manim": "0.22.0", "numpy": "2.3", "libavcodec": "61.3", "latex": "TeX 3", "layers": "user,seccomp"})
    assert health.told is not None
    assert health.told.pop("timestamp")
    assert health.told == {
        "status": "healthy",
        "manim_version": "0.22.0",
        "numpy_version": "2.3",
        "ffmpeg_available": True,
        "ffmpeg_version": "libavcodec 61.3",
        "latex_version": "TeX 3",
    }
    assert health.sandbox == {"tier": "container", "layers": ["user", "seccomp"]}


def test_a_container_without_anything() -> None:
    health = Health()
    health.learn({})
    assert health.told is not None
    assert health.told["ffmpeg_available"] is False
    assert health.told["ffmpeg_version"] is None


def test_the_answer_of_a_health_check() -> None:
    health = Health()
    health.take(
        {
            "status": "unhealthy",
            "error": "the warm process does not start",
            "manim_version": None,
            "ffmpeg_available": False,
            "protocol": 1,
            "facts": {"layers": "user"},
        }
    )
    assert health.told == {
        "status": "unhealthy",
        "manim_version": None,
        "ffmpeg_available": False,
        "error": "the warm process does not start",
    }
    assert health.sandbox["layers"] == ["user"]


@pytest.mark.parametrize("answer", [None, 1, "healthy", [], b"", True], ids=repr)
def test_answers_that_are_none(answer: object) -> None:
    health = Health()
    health.take(answer)
    assert health.told is None


@pytest.mark.parametrize(
    "value", ["x" * 10_000, ["x"] * 10_000, {"a": {"b": 1}}, 1.5, b"\xff\0", "\x1b[31mred\x00", "\ud800"], ids=type
)
def test_hostile_answers(value: Any) -> None:
    """Whatever comes can be shown as JSON, and no terminal obeys it."""
    health = Health()
    health.take({"status": value, "timestamp": value, "facts": {"layers": value, **dict.fromkeys(map(str, range(99)))}})
    shown = json.dumps([health.told, health.sandbox])
    assert len(shown) < 10_000
    assert "\\u001b" not in shown
    shown.encode()
    health.take({"facts": value})
    assert json.dumps(health.told) == "{}"
