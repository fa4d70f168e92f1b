"""Segments of earlier renders in place of drawing: which of them show what is to be shown now.

A play is kept under a key: the digests of its frames (:mod:`manimcast.engine.drawn`), in order and with how often each
is shown, together with how they are encoded. To know the key before anything is drawn, a copy of this process steps
the frames ahead (:func:`ahead`). That costs a second time of stepping, so it is only done for a scene of which
something is kept: each render leaves a mark under the scene's name.

Under a play's key lies a list of its segments, of which there are several when several processes drew it; each of them
has a key of its own that follows from the play's.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import av
from manim._config.video_encoder import VideoEncoderSpec, video_encoder_fingerprint
from manim.renderer.cairo_renderer import CairoRenderer
from manim.scene.scene import Scene
from manim.utils.iterables import list_update

from manimcast.engine.drawn import LAYOUT, Sight, UnknownError

MAX_PARTS = 200
"""Segments of one play that is kept."""
MAX_LIST = 1000
"""Bytes of a list of segments."""
WORTH_SECONDS, WORTH_SHARE = 0.2, 0.2
"""Once digests have taken so long, and such a share of the time that drawing takes, the play is not kept."""

Shown = tuple[str, int]
"""The digest of a frame, in hexadecimal, and how often it is shown."""


class Shelf(Protocol):
    """Where segments are kept: the wire's end in this process."""

    def segments(self, keys: Sequence[str]) -> dict[str, Path]:
        """Return where those lie that are kept, by their keys."""

    def offer(self, segments: Mapping[str, Path]) -> None:
        """Offer segments to be kept, by their keys."""


class Reuse:
    """The plays of one scene.

    Parameters
    ----------
    shelf
        Where they are kept.
    scene
        The scene's name.
    directory
        For files of its own; it is made.
    """

    def __init__(self, shelf: Shelf, scene: str, directory: Path) -> None:
        self._shelf = shelf
        self._directory = directory
        self._mark = hashlib.sha256(f"{LAYOUT} scene {scene}".encode()).hexdigest()
        self._found: dict[str, list[Path] | None] = {}
        self._made: dict[str, Path] = {}
        self._expects: bool | None = None

    @property
    def expects(self) -> bool:
        """Whether something of a scene of this name is kept, so that it is worth to look. Asked for once."""
        if self._expects is None:
            self._expects = bool(self._shelf.segments([self._mark]))
        return self._expects

    def find(self, key: str, frames: int) -> list[Path] | None:
        """Return the segments of the play under ``key``, if they are kept and have so many frames together."""
        if key not in self._found:
            self._found[key] = self._look_for(key, frames)
        return self._found[key]

    def made(self, key: str, segments: Sequence[Path]) -> None:
        """Take note of a play that was drawn. Its segments must stay where they are."""
        if len(segments) > MAX_PARTS:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        listed = self._directory / key
        listed.write_text(json.dumps({"parts": len(segments)}), encoding="ascii")
        self._made[key] = listed
        self._made.update(zip(_keys_of_parts(key, len(segments)), segments, strict=True))

    def offer(self) -> None:
        """Offer everything that was made, and leave the mark."""
        self._directory.mkdir(parents=True, exist_ok=True)
        mark = self._directory / self._mark
        mark.touch()
        self._shelf.offer({self._mark: mark, **self._made})

    def _look_for(self, key: str, frames: int) -> list[Path] | None:
        listed = self._shelf.segments([key]).get(key)
        number = _parts_in(listed) if listed is not None else None
        if number is None:
            return None
        keys = _keys_of_parts(key, number)
        found = self._shelf.segments(keys)
        segments = [found[part] for part in keys if part in found]
        counted = [frames_in(segment) for segment in segments]
        # Another scene of this tenant may have put there what it liked.
        whole = len(segments) == number and None not in counted and sum(count or 0 for count in counted) == frames
        return segments if whole else None


class Watch:
    """What is shown in one play, which is begun. Raises :class:`UnknownError` when that cannot be said."""

    def __init__(self, renderer: CairoRenderer, scene: Scene) -> None:
        self._scene = scene
        self._sight = Sight(renderer.camera)
        self._behind = self._sight.background()
        if scene.static_mobjects:
            self._behind = self._sight.frame(scene.static_mobjects, self._behind)

    def frame(self) -> str:
        """Return the digest of the frame as it would be drawn now."""
        scene = self._scene
        moving = scene.moving_mobjects or list_update(scene.mobjects, scene.foreground_mobjects)
        return self._sight.frame(moving, self._behind).hex()


class Notes:
    """The frames of a play, or of a part of it, as they are drawn.

    Attributes
    ----------
    frames
        What was shown; None once that is not known, or took too long to find out.
    """

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._began = time.process_time()
        self._taken = 0.0
        self.frames: list[Shown] | None = None if watch is None else []

    def note(self, repeat: int) -> None:
        """The frame that was just drawn is shown ``repeat`` times."""
        if self._watch is None or self.frames is None:
            return
        before = time.process_time()
        try:
            self.frames.append((self._watch.frame(), repeat))
        except UnknownError:
            self.frames = None
        now = time.process_time()
        self._taken += now - before
        if self._taken > WORTH_SECONDS and self._taken > WORTH_SHARE * (now - self._began):
            self.frames = None


def key_of(frames: Iterable[Shown], encoding: VideoEncoderSpec) -> str:
    """Return the key of the play that shows ``frames``, encoded so."""
    found = hashlib.blake2b(json.dumps([LAYOUT, video_encoder_fingerprint(encoding)]).encode(), digest_size=32)
    for digest, repeat in frames:
        found.update(bytes.fromhex(digest) + struct.pack("<Q", repeat))
    return found.hexdigest()


class Ahead:
    """What a play will show: its key, the number of its frames, and whatever else was asked for."""

    def __init__(self, key: str, frames: int, state: str) -> None:
        self.key = key
        self.frames = frames
        self.state = state


def ahead(step: Callable[[], Sequence[Shown]], state: Callable[[], str], encoding: VideoEncoderSpec) -> Ahead | None:
    """Return what ``step`` would show, which is called in a copy of this process, and after it ``state``.

    None when that cannot be said: something in it is not known for certain, or the scene fails there. Raises
    :class:`OSError` when the system refuses another process.
    """
    chance = random.getstate()
    reader, writer = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise
    if pid == 0:
        try:
            random.setstate(chance)  # CPython seeds it anew in a forked process
            _be_silent()
            frames = step()
            said = [key_of(frames, encoding), sum(repeat for _, repeat in frames), state()]
            os.write(writer, json.dumps(said).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        said = json.loads(answer.read() or b"null")
    os.waitpid(pid, 0)
    return Ahead(*said) if said else None


def frames_in(segment: Path) -> int | None:
    """Return how many frames a segment has; None when it is not a video."""
    try:
        with av.open(segment) as container:
            video = container.streams.video[0]
            return sum(packet.pts is not None for packet in container.demux(video))
    except (av.FFmpegError, OSError, IndexError, ValueError):
        return None


def _be_silent() -> None:
    """Print nothing: this process prints the same again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _keys_of_parts(key: str, number: int) -> list[str]:
    return [hashlib.sha256(f"{key} {part}/{number}".encode()).hexdigest() for part in range(number)]


def _parts_in(listed: Path) -> int | None:
    try:
        content = json.loads(listed.read_bytes()[:MAX_LIST])
        number = content["parts"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return number if type(number) is int and 0 < number <= MAX_PARTS else None
