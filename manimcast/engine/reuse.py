"""Segments of earlier renders in place of drawing: which of them show what is to be shown now.

A segment is kept under a key: the digests of its frames (:mod:`manimcast.engine.drawn`), in order and with how often
each is shown, together with how they are encoded. To know the key before anything is drawn, a copy of this process
steps the frames ahead (:func:`ahead`). That costs a second time of stepping, so it is only done for a scene of which
something is kept: each render leaves a mark under the scene's name.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import av
from manim._config.video_encoder import VideoEncoderSpec, video_encoder_fingerprint

from manimcast.engine.drawn import LAYOUT, UnknownError

MARK = "mark"

Shown = tuple[bytes, int]
"""The digest of a frame, and how often it is shown."""


class Shelf(Protocol):
    """Where segments are kept: the wire's end in this process."""

    def segments(self, keys: Sequence[str]) -> dict[str, Path]:
        """Return where those lie that are kept, by their keys."""

    def offer(self, segments: Mapping[str, Path]) -> None:
        """Offer segments to be kept, by their keys."""


class Reuse:
    """The segments of one scene.

    Parameters
    ----------
    shelf
        Where they are kept.
    scene
        The scene's name.
    directory
        For a file of its own.

    Attributes
    ----------
    expects
        Whether something of a scene of this name is kept, so that it is worth to look.
    """

    def __init__(self, shelf: Shelf, scene: str, directory: Path) -> None:
        self._shelf = shelf
        self._directory = directory
        self._mark = hashlib.sha256(f"{LAYOUT} scene {scene}".encode()).hexdigest()
        self._made: dict[str, Path] = {}
        self._asked: set[str] = set()
        self.expects = bool(shelf.segments([self._mark]))

    def find(self, key: str, frames: int) -> Path | None:
        """Return the segment under ``key``, if it is kept and is one of so many frames."""
        if key in self._made:
            return self._made[key]
        if key in self._asked:
            return None
        self._asked.add(key)
        found = self._shelf.segments([key]).get(key)
        if found is None or frames_in(found) != frames:
            return None
        self._made[key] = found
        return found

    def made(self, key: str, segment: Path) -> None:
        """Take note of a segment that was drawn. It must stay where it is."""
        self._made[key] = segment

    def offer(self) -> None:
        """Offer all segments, those that were found as well, so that what is in use is not forgotten."""
        mark = self._directory / MARK
        mark.touch()
        self._shelf.offer({self._mark: mark, **self._made})


def key_of(frames: Iterable[Shown], encoding: VideoEncoderSpec) -> str:
    """Return the key of the segment that shows ``frames``, encoded so."""
    found = hashlib.blake2b(json.dumps([LAYOUT, video_encoder_fingerprint(encoding)]).encode(), digest_size=32)
    for digest, repeat in frames:
        found.update(digest + struct.pack("<Q", repeat))
    return found.hexdigest()


def ahead(step: Callable[[], Iterable[Shown]], encoding: VideoEncoderSpec) -> tuple[str, int] | None:
    """Return key and number of frames of what ``step`` would show, which is called in a copy of this process.

    None when that cannot be said: something in it is not known for certain, or the scene fails there.
    """
    chance = random.getstate()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        random.setstate(chance)  # CPython seeds it anew in a forked process
        _say_and_exit(step, encoding, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        answer = said.read(200)
    os.waitpid(pid, 0)
    key, _, frames = answer.decode("ascii", "replace").partition(" ")
    return (key, int(frames)) if frames.isdigit() else None


def _say_and_exit(step: Callable[[], Iterable[Shown]], encoding: VideoEncoderSpec, writer: int) -> None:
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # this process prints the same again
        os.dup2(nowhere, 2)
        frames = list(step())
        os.write(writer, f"{key_of(frames, encoding)} {sum(repeat for _, repeat in frames)}".encode())
    except UnknownError:
        pass
    finally:
        os._exit(0)


def frames_in(segment: Path) -> int | None:
    """Return how many frames a segment has; None when it is not a video."""
    try:
        with av.open(segment) as container:
            video = container.streams.video[0]
            return sum(packet.pts is not None for packet in container.demux(video))
    except (av.FFmpegError, OSError, IndexError, ValueError):
        return None
