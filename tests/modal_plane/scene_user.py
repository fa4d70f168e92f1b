"""Which user a container's scene may run as here.

The real image makes the user that ``MANIMCAST_SCENE_USER`` names. Here it is ``nobody``, provided that this process
may change to it and that ``nobody`` can run the tests' Python with its packages; else nobody at all.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys

from tests.patience import PATIENCE

VARIABLE = "MANIMCAST_SCENE_USER"
SUBSTITUTE = "nobody"


@functools.cache
def substitute() -> str:
    """Return ``nobody`` if that works, found out by doing it; else the empty string."""
    if os.geteuid() != 0:
        return ""
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import pydantic"],
            user=SUBSTITUTE,
            group="nogroup",
            extra_groups=[],
            env={"PATH": os.environ["PATH"]},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, LookupError, ValueError, subprocess.TimeoutExpired):
        return ""
    return SUBSTITUTE if done.returncode == 0 else ""
