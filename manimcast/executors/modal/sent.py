"""The segments of one render in its container: those that came along with the call, and those that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.protocol import CHUNK, MAX_SEGMENTS, Call


class SentSegments:
    """A shelf that holds what came along, if it was made by the ``versions`` of this container."""

    def __init__(self, call: Call, versions: Mapping[str, str]) -> None:
        kept = call.kept
        if kept is None or len(kept.keys) != len(call.segments):
            raise ExecutorError("the segments of the call are not those that it names")
        fits = kept.versions == dict(versions)
        self._sent = dict(zip(kept.keys, call.segments, strict=True)) if fits else {}
        self._left = kept.most
        self._made: dict[str, bytes] = {}
        self._used: dict[str, None] = {}

    @property
    def used(self) -> list[str]:
        """What the render has asked for of what came along, in that order, each once."""
        return list(self._used)

    def get(self, key: str) -> bytes | None:
        """Return the segment under ``key``; None when there is none."""
        content = self._sent.get(key)
        if content is not None:
            self._used[key] = None
        return content

    def put(self, key: str, content: bytes) -> None:
        """Have a segment go back, if it may."""
        if key not in self._made and 0 < len(content) <= self._left and len(self._made) < MAX_SEGMENTS:
            self._left -= len(content)
            self._made[key] = content

    def pieces(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield what goes back: the key of each, its length in bytes, and some of these bytes, in order."""
        for key, content in self._made.items():
            for start in range(0, len(content), CHUNK):
                yield key, len(content), content[start : start + CHUNK]
