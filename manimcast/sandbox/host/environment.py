"""What the processes of the sandbox are started with: an environment made from nothing, and another user."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import manimcast


def environment(visible: Sequence[str] | None = None) -> dict[str, str]:
    """Return the environment of the warm process: nothing of the service's, so no secret is in reach.

    Of the service's PATH only what lies in ``visible`` is kept, where that is given: the rest is not there inside.
    Without a home directory neither a user's Manim configuration nor a user's fonts change what is drawn.
    """
    folders = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(":")
    if visible is not None:
        known = (*visible, "/bin", "/sbin")
        folders = [folder for folder in folders if any(Path(folder).is_relative_to(path) for path in known)]
    return {
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        # Each further arena of the allocator maps 64 MiB, which would count against a render's address space.
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": ":".join(folders),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(Path(manimcast.__file__).parent.parent),
    }


def become(ids: tuple[int, int]) -> list[str]:
    """Return the beginning of a command that runs the rest as user and group ``ids``, with no right of root left.

    A program does this, since the service's event loop cannot start a process as somebody else.
    """
    return [
        *("setpriv", f"--reuid={ids[0]}", f"--regid={ids[1]}", "--clear-groups", "--inh-caps=-all"),
        *("--bounding-set=-all", "--pdeathsig=KILL", "--"),
    ]
