"""How long a video may become: checked before its frames are drawn, by renders and by dry runs alike."""

from __future__ import annotations

from manimcast.engine.errors import OutputTooLarge
from manimcast.wire import Limits


def check_length(frames: int, coming: int, limits: Limits, *, frame_rate: float) -> None:
    """Raise :class:`OutputTooLarge` when ``coming`` frames after the first ``frames`` pass one of the limits."""
    total = frames + coming
    if total > limits.frames:
        raise OutputTooLarge(f"The video would have {total} frames; at most {limits.frames} are allowed.")
    if total > limits.duration * frame_rate + 1:
        raise OutputTooLarge(
            f"The video would be {total / frame_rate:.1f} seconds long; at most {limits.duration:g} are allowed."
        )


def check_plays(index: int, limits: Limits) -> None:
    """Raise :class:`OutputTooLarge` when the play ``index``, counted from 0, is one too many."""
    if index >= limits.frames:
        raise OutputTooLarge(f"The scene plays more than {limits.frames} animations.")
