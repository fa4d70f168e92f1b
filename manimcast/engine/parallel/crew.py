"""What the processes that draw one part of a play together share: which frame comes next, and memory for frames.

Each takes the next frame that nobody has taken, whenever it is done with one. The first of them, who *leads*, encodes
all of them in their order; the others, who *help*, hand theirs over converted. So a part is drawn by as many as are
free, and its file is the same as if one had drawn it.

A helper has two places for frames. It waits until one of them is free, never for a place of another's: the frame that
the leader needs next is drawn already or being drawn, and whoever draws it has its places free, as it takes its frames
in their order. When one of the crew fails, the process that forked it ends them all.
"""

from __future__ import annotations

import mmap
import os
import select
import struct
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine.planes import Picture

Rows = tuple[int, int]
"""The first row, and the one behind the last."""

PLACES = 2

_NUMBER = struct.Struct("<I")
_HANDED = struct.Struct("<IBBii")
_UNKNOWN = (-1, -1)


@dataclass(frozen=True, slots=True)
class Handed:
    """A frame that a helper hands over: its number in the play, where it is, and the rows it was drawn on, if known."""

    number: int
    helper: int
    place: int
    rows: Rows | None


class Crew:
    """Made before the crew is forked; each process of it then uses its own copy.

    Parameters
    ----------
    first, last
        The part's frames: the first, and the one behind the last.
    helpers
        How many there may be besides the one who leads.
    native, spec
        What converts, and to what.
    directory
        For the file that the memory is: a render in the sandbox may share no other.

    Raises :class:`OSError` when the system refuses memory or pipes.
    """

    def __init__(
        self, first: int, last: int, helpers: int, native: ModuleType, spec: VideoEncoderSpec, *, directory: Path
    ) -> None:
        picture = spec.pixel_format, spec.width, spec.height
        self.first, self.last = first, last
        self._pipes: list[int] = []
        room = -(-Picture.room(*picture) // mmap.PAGESIZE) * mmap.PAGESIZE
        shared = np.frombuffer(_memory(directory / "frames", mmap.PAGESIZE + helpers * PLACES * room), np.uint8)
        self._taken = shared[: _NUMBER.size].view(np.uint32)
        self._taken[0] = first
        places = (shared[mmap.PAGESIZE + n * room :][:room] for n in range(helpers * PLACES))
        pictures = [Picture(native, *picture, memory) for memory in places]
        self._pictures = [pictures[n * PLACES : (n + 1) * PLACES] for n in range(helpers)]
        try:
            self._next = self._pipe()
            self._handed = self._pipe()
            self._free = [self._pipe() for _ in range(helpers)]
        except OSError:
            self.close()
            raise
        os.write(self._next[1], _NUMBER.pack(first))
        for _, writer in self._free:
            os.write(writer, bytes(range(PLACES)))

    def close(self) -> None:
        """Close the pipes: this process is not of the crew, or is done."""
        for descriptor in self._pipes:
            os.close(descriptor)
        self._pipes.clear()

    @property
    def left(self) -> int:
        """How many frames nobody has taken yet, or had a moment ago."""
        return max(0, self.last - int(self._taken[0]))

    def take(self) -> int | None:
        """Take a frame; returns its number, or None when there are no more."""
        (number,) = _NUMBER.unpack(_read(self._next[0], _NUMBER.size))  # the others wait meanwhile
        following = min(number + 1, self.last)
        self._taken[0] = following
        os.write(self._next[1], _NUMBER.pack(following))
        return number if number < self.last else None

    def place(self, helper: int) -> tuple[int, Picture]:
        """Return a free place of that helper's, after waiting for one, and what lies there."""
        (place,) = _read(self._free[helper][0], 1)
        return place, self._pictures[helper][place]

    def has_place(self, helper: int) -> bool:
        """Whether that helper need not wait for a place."""
        return _has_something(self._free[helper][0])

    def outdate(self, helper: int, rows: Rows) -> None:
        """Note that these rows differ from the frame which that helper drew before."""
        for picture in self._pictures[helper]:
            picture.outdate(rows)

    def hand_over(self, handed: Handed) -> None:
        """Give the frame that lies in a place to the one who leads."""
        os.write(self._handed[1], _HANDED.pack(handed.number, handed.helper, handed.place, *(handed.rows or _UNKNOWN)))

    def handed(self, *, wait: bool) -> Handed | None:
        """Return the next frame that was handed over, by whomever; None when there is none, and it shall not wait."""
        if not wait and not _has_something(self._handed[0]):
            return None
        number, helper, place, *rows = _HANDED.unpack(_read(self._handed[0], _HANDED.size))
        return Handed(number, helper, place, None if tuple(rows) == _UNKNOWN else (rows[0], rows[1]))

    def fetch(self, handed: Handed, into: Picture) -> None:
        """Copy a frame that was handed over, and give its place back."""
        into.copy(self._pictures[handed.helper][handed.place])
        os.write(self._free[handed.helper][1], bytes([handed.place]))

    def _pipe(self) -> tuple[int, int]:
        pipe = os.pipe()
        self._pipes += pipe
        return pipe


def _memory(path: Path, size: int) -> mmap.mmap:
    """Return memory that forked processes share. It is there: none of them finds the file system full when writing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        path.unlink()
        os.posix_fallocate(descriptor, 0, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _has_something(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _read(descriptor: int, size: int) -> bytes:
    """Read what was written at once, which is shorter than what a pipe splits."""
    data = os.read(descriptor, size)
    if len(data) != size:
        raise EOFError("the others who draw this part have ended")
    return data
