"""Segments in a container: what came along, and what goes back."""

from __future__ import annotations

from typing import Any

import pytest

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal import sent as module
from manimcast.executors.modal.protocol import CHUNK, Call, Kept
from manimcast.executors.modal.sent import SentSegments
from manimcast.spec import RenderSpec

LIMITS = wire.Limits(duration=10, frames=100, pixels=128 * 72, frame_rate=60, file_bytes=1000)
VERSIONS = {"manim": "0.22.0"}
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def call(most: int = 100, **segments: bytes) -> Call:
    kept = Kept(versions=VERSIONS, keys=tuple(key * 64 for key in segments), most=most)
    return _call(kept=kept, segments=tuple(segments.values()))


def _call(**fields: Any) -> Call:
    return Call(token="", spec=RenderSpec(code="x"), limits=LIMITS, timeout=1, **fields)


def test_what_came_along_is_there_and_what_is_asked_for_is_told_once() -> None:
    shelf = SentSegments(call(a=b"one", b=b"two"), VERSIONS)
    assert [shelf.get(key) for key in (B, C, A, B)] == [b"two", None, b"one", b"two"]
    assert shelf.used == [B, A]


def test_what_another_version_has_made_is_not_there() -> None:
    shelf = SentSegments(call(a=b"one"), {"manim": "0.22.1"})
    assert (shelf.get(A), shelf.used) == (None, [])
    shelf.put(A, b"new")
    assert list(shelf.pieces()) == [(A, 3, b"new")]


def test_what_is_made_goes_back_as_far_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = SentSegments(call(most=10), VERSIONS)
    for key, content in ((A, b"12345"), (A, b"again"), (B, b"123456"), (B, b""), (C, b"12345")):
        shelf.put(key, content)
    assert list(shelf.pieces()) == [(A, 5, b"12345"), (C, 5, b"12345")]
    monkeypatch.setattr(module, "MAX_SEGMENTS", 1)
    full = SentSegments(call(most=10), VERSIONS)
    full.put(A, b"1")
    full.put(B, b"1")
    assert [key for key, _, _ in full.pieces()] == [A]


def test_long_ones_go_back_in_pieces() -> None:
    content = bytes(range(256)) * (CHUNK // 256 * 2) + b"rest"
    shelf = SentSegments(call(most=len(content)), VERSIONS)
    shelf.put(A, content)
    pieces = list(shelf.pieces())
    assert [len(data) for _, _, data in pieces] == [CHUNK, CHUNK, 4]
    assert {(key, size) for key, size, _ in pieces} == {(A, len(content))}
    assert b"".join(data for _, _, data in pieces) == content


def test_a_call_whose_segments_are_not_those_that_it_names() -> None:
    for wrong in (
        _call(),
        _call(kept=Kept(versions=VERSIONS, keys=(A,), most=1)),
        _call(kept=Kept(versions=VERSIONS, most=1), segments=(b"one",)),
    ):
        with pytest.raises(ExecutorError, match="the segments of the call are not those that it names"):
            SentSegments(wrong, VERSIONS)
