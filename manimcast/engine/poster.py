"""The picture that stands for a video: of the last frames of its plays the fullest, and of equally full ones the last.

Frames are drawn by several processes in any order, so a candidate may lie in a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from manimcast.engine.track import Pixels


@dataclass
class Poster:
    """Keeps the best candidate.

    Attributes
    ----------
    rank
        How full its frame is, and the index of its play.
    """

    rank: tuple[int, int] = (-1, -1)
    _pixels: Pixels | None = None
    _file: Path | None = None
    _shape: tuple[int, ...] = field(default=())

    def consider(self, pixels: Pixels, index: int) -> None:
        """Keep a copy of ``pixels``, the last frame of play ``index``, if nothing better is known."""
        rank = (fullness(pixels), index)
        if rank > self.rank:
            kept = self._pixels
            if kept is None or kept.shape != pixels.shape:
                kept = np.empty_like(pixels)
            self._replace(rank)
            np.copyto(kept, pixels)  # into the same memory: to get another piece of this size takes longer
            self._pixels = kept

    def consider_file(self, score: int, index: int, file: Path, shape: tuple[int, ...]) -> None:
        """Keep ``file``, which holds raw pixels of ``shape``, if nothing better is known; else remove it."""
        if (score, index) > self.rank:
            self._replace((score, index))
            self._file, self._shape = file, shape
        else:
            file.unlink(missing_ok=True)

    def pixels(self) -> Pixels | None:
        """Return the best candidate, if there is any."""
        if self._file is not None:
            pixels: Any = np.fromfile(self._file, dtype=np.uint8).reshape(self._shape)
            return pixels  # type: ignore[no-any-return]
        return self._pixels

    def _replace(self, rank: tuple[int, int]) -> None:
        if self._file is not None:
            self._file.unlink(missing_ok=True)
        self.rank, self._file, self._pixels = rank, None, None


def fullness(pixels: Pixels) -> int:
    """Return how much of a frame is not background, looking at every eighth pixel."""
    sample = np.ascontiguousarray(pixels[::8, ::8]).view(np.uint32)
    return int(np.count_nonzero(sample != sample[0, 0]))
