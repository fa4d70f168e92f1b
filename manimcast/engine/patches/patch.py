"""What a patch is: which symbol of which Manim it stands in for, and how one sees that the symbol has changed."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MANIM_VERSION = "0.22.0"
"""The version that the patches were written for."""


@dataclass(frozen=True)
class Patch:
    """One change to Manim.

    ``upstream`` is what is replaced or relied on, ``digest`` the SHA-256 of its source in :data:`MANIM_VERSION`.
    """

    symbol: str
    upstream: Callable[..., Any]
    digest: str
    why: str

    def source_digest(self) -> str:
        """Return the SHA-256 of the source that is installed."""
        return hashlib.sha256(inspect.getsource(self.upstream).encode()).hexdigest()
