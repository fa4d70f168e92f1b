"""What one render handed to its encoder, frame by frame, and what its file holds.

Frames are kept as digests, as runs of ``[digest, count]``; one frame can be kept whole, to look at a difference.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np


def digest(pixels: np.ndarray) -> str:
    """Return a digest of a frame's shape and raw bytes."""
    head = f"{pixels.dtype}{pixels.shape}".encode()
    return hashlib.blake2b(np.ascontiguousarray(pixels).tobytes(), digest_size=16, key=head).hexdigest()


@dataclass
class Recorder:
    """Takes the frames of one render in order.

    ``keep`` is the digest of a frame whose pixels are saved as ``frame.npy`` in ``directory``; not its index, which a
    process that draws a part of the frames does not know.
    """

    directory: Path
    keep: str | None = None
    runs: list[list[Any]] = field(default_factory=list)
    count: int = 0

    def frame(self, pixels: np.ndarray, repeat: int) -> None:
        """Note that ``pixels`` go to the encoder ``repeat`` times."""
        if repeat <= 0:
            return
        self.count += repeat
        found = digest(pixels)
        if found == self.keep:
            np.save(self.directory / "frame.npy", pixels)
        if self.runs and self.runs[-1][0] == found:
            self.runs[-1][1] += repeat
        else:
            self.runs.append([found, repeat])

    def take(self) -> list[list[Any]]:
        """Return what was noted since the last time."""
        taken, self.runs = self.runs, []
        return taken

    def add(self, seen: list[list[Any]]) -> None:
        """Note what was taken, here or in another process."""
        for found, repeat in seen:
            if self.runs and self.runs[-1][0] == found:
                self.runs[-1][1] += repeat
            else:
                self.runs.append([found, repeat])


LOSSLESS = {"crf": "0", "preset": "ultrafast"}
"""x264's options with which a file decodes to exactly the planes that the encoder was handed."""


def planes(path: Path) -> list[list[Any]]:
    """Decode a losslessly encoded file and return digests of its frames' planes, as runs of ``[digest, count]``."""
    runs: list[list[Any]] = []
    with av.open(path) as container:
        for frame in container.decode(video=0):
            found = digest(frame.to_ndarray())
            if runs and runs[-1][0] == found:
                runs[-1][1] += 1
            else:
                runs.append([found, 1])
    return runs


def decoded(path: Path) -> dict[str, Any]:
    """Decode a video file and return its frame count, rate, size, and durations in seconds, and what else it has."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        count, last_end = 0, 0.0
        for frame in container.decode(stream):
            count += 1
            last_end = max(last_end, float((frame.pts + frame.duration) * frame.time_base))
        return {
            "frames": count,
            "rate": str(stream.base_rate),
            "width": stream.width,
            "height": stream.height,
            "end": round(last_end, 6),
            "audio": len(container.streams.audio) > 0,
        }
