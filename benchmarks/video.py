"""What a finished video holds."""

from __future__ import annotations

from pathlib import Path

import av


def frames_in(path: Path) -> int:
    """Return the number of frames in a video file, counted by decoding."""
    with av.open(path) as container:
        return sum(1 for _ in container.decode(video=0))
