"""Segments of earlier renders in place of drawing: which of them show what is to be shown now.

A play is kept under a key: the digests of its frames (:mod:`manimcast.engine.drawn`), in order and with how often each
is shown, together with how they are encoded. There are several segments of it when several processes drew it; each has
a key of its own that follows from the play's.

Each render leaves a note under the scene's name: what its plays began with, the keys that they came to, and how many
segments they have. A play that begins as none of those is not looked for, and the others' segments are asked for many
at a time.
"""

from __future__ import annotations

import hashlib
import json
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from manim._config.video_encoder import VideoEncoderSpec, video_encoder_fingerprint
from manim.renderer.cairo_renderer import CairoRenderer
from manim.scene.scene import Scene
from manim.utils.iterables import list_update

from manimcast.engine.drawn import LAYOUT, Sight, UnknownError
from manimcast.engine.join import frames_in

MAX_PARTS = 200
"""Segments of one play that is kept."""
MAX_NOTED = 500
"""Plays in a scene's note: those of its last render, and as many of earlier ones as there is room for."""
MAX_NOTE = 200 * MAX_NOTED
"""Bytes of a note."""
AT_ONCE = 64
"""Segments that are asked for at once: those of a play, and of the ones that followed it when it was drawn."""
WORTH_SECONDS, WORTH_SHARE = 0.2, 0.2
"""Once digests have taken so long, and such a share of the time that drawing takes, the play is not kept."""

Shown = tuple[str, int]
"""The digest of a frame, in hexadecimal, and how often it is shown."""


class Shelf(Protocol):
    """Where segments are kept: the wire's end in this process."""

    def segments(self, keys: Sequence[str]) -> dict[str, Path]:
        """Return where those lie that are kept, by their keys. Each may be asked for once."""

    def offer(self, segments: Mapping[str, Path]) -> None:
        """Offer segments to be kept, by their keys."""


@dataclass(frozen=True)
class Kept:
    """A play that is kept: the digest of what it began with, its key, and the number of its segments."""

    begin: str
    key: str
    parts: int

    def names(self) -> list[str]:
        """Return the keys of its segments."""
        names = (f"{self.key} {part}/{self.parts}" for part in range(self.parts))
        return [hashlib.sha256(name.encode()).hexdigest() for name in names]


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
        self._scene = scene
        self._directory = directory
        self._mark: str | None = None
        self._noted: list[Kept] = []
        self._asked: dict[str, Path | None] = {}
        self._plays: list[Kept] = []
        self._made: dict[str, Path] = {}
        self._offered: set[str] = set()

    def expects(self, begin: str, encoding: VideoEncoderSpec) -> bool:
        """Whether a play of this scene that began so, and was encoded so, is kept: then it is worth to look."""
        if self._mark is None:
            name = f"{LAYOUT} scene {video_encoder_fingerprint(encoding)} {self._scene}"
            self._mark = hashlib.sha256(name.encode()).hexdigest()
            note = self._shelf.segments([self._mark]).get(self._mark)
            self._noted = _read(note) if note is not None else []
        return any(kept.begin == begin for kept in self._noted)

    def find(self, key: str, frames: int) -> list[Path] | None:
        """Return the segments of the play under ``key``, if they are kept and have so many frames together."""
        kept = next((kept for kept in self._noted if kept.key == key), None)
        if kept is None:
            return None
        self._ask_from(kept)
        found = [self._asked.get(name) for name in kept.names()]
        segments = [segment for segment in found if segment is not None]
        counted = [frames_in(segment) for segment in segments]
        # Another scene of this tenant may have put there what it liked.
        if len(segments) < kept.parts or None in counted or sum(count or 0 for count in counted) != frames:
            return None
        self._plays.append(kept)
        return segments

    def made(self, begin: str, key: str, segments: Sequence[Path]) -> None:
        """Take note of a play that was drawn. Its segments must stay where they are."""
        if len(segments) <= MAX_PARTS:
            kept = Kept(begin, key, len(segments))
            self._plays.append(kept)
            self._made.update(zip(kept.names(), segments, strict=True))

    def offer(self) -> None:
        """Offer everything that was made since this was called last, and leave the note."""
        if self._mark is None:
            return
        plays: dict[tuple[str, str], Kept] = {}
        for kept in (*self._plays, *self._noted):
            plays.setdefault((kept.begin, kept.key), kept)
        entries = [(kept.begin, kept.key, kept.parts) for kept in plays.values()]
        self._directory.mkdir(parents=True, exist_ok=True)
        note = self._directory / self._mark
        draft = note.with_suffix(".new")  # this process may be ended at any time, and the note is taken as it is then
        draft.write_text(json.dumps(entries[:MAX_NOTED]), encoding="ascii")
        draft.replace(note)
        made = {key: path for key, path in self._made.items() if key not in self._offered}
        self._shelf.offer({self._mark: note, **made})
        self._offered.update(made)

    def _ask_from(self, kept: Kept) -> None:
        """Ask for the segments of ``kept``, and of the plays after it: most likely they are wanted next."""
        if all(name in self._asked for name in kept.names()):
            return
        wanted: list[str] = []
        for following in self._noted[self._noted.index(kept) :]:
            names = [name for name in following.names() if name not in self._asked]
            if wanted and len(wanted) + len(names) > AT_ONCE:
                break
            wanted += names
        found = self._shelf.segments(wanted)
        self._asked.update((name, found.get(name)) for name in wanted)


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


def _read(note: Path) -> list[Kept]:
    """Return the plays in a note, which another scene of this tenant may have written as it liked."""
    try:
        with note.open("rb") as file:
            entries = [Kept(*entry) for entry in json.loads(file.read(MAX_NOTE))[:MAX_NOTED]]
    except (OSError, ValueError, TypeError, RecursionError):
        return []
    return entries if all(map(_is_sound, entries)) else []


def _is_sound(kept: Kept) -> bool:
    is_number = type(kept.parts) is int and 0 < kept.parts <= MAX_PARTS
    return is_number and isinstance(kept.begin, str) and isinstance(kept.key, str)
