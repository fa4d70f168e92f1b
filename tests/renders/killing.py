"""Services in processes of their own, which tests kill at a moment that they know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def killed(module: str, *arguments: str, after: str) -> list[str]:
    """Run a module of this folder until it prints the line ``after``, kill it, and return the lines before that."""
    with subprocess.Popen(
        [sys.executable, "-m", f"tests.renders.{module}", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        lines = []
        while (line := process.stdout.readline().strip()) != after:
            assert line, f"it ended, or printed nothing, before it printed {after}"
            lines.append(line)
        process.kill()
    return lines
