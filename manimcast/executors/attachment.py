"""The bytes of a render's assets, as an executor is given them: open files, which it passes on without a look."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class Attachment:
    """One asset: the first ``size`` bytes of ``file``, which stays open for as long as the render runs."""

    file: BinaryIO
    size: int

    def read(self) -> bytes:
        """Return them."""
        parts, done = [], 0
        while done < self.size and (part := os.pread(self.file.fileno(), self.size - done, done)):
            parts.append(part)
            done += len(part)
        return b"".join(parts)
