"""A command line as a person would run it: a process of its own, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.sandbox.hosts import without_bubblewrap

__all__ = ["without_bubblewrap"]

CIRCLE = """
class Ring(Scene):
    def construct(self):
        self.play(Create(Circle()), run_time=0.4)
        self.wait(0.2)
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


def environment() -> dict[str, str]:
    """The environment without settings that would change what a test sees."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
    checkout = str(Path(__file__).resolve().parents[2])
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return found | {"PYTHONPATH": checkout, "COLUMNS": "100"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "manimcast.cli.main", *arguments]


@pytest.fixture
def manimcast(tmp_path: Path) -> Run:
    """Run `manimcast ARGUMENTS` in an empty folder, with ``scene.py`` in it that has one short scene."""
    (tmp_path / "scene.py").write_text(CIRCLE)

    def run(*arguments: str, stdin: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            input=stdin,
            cwd=tmp_path,
            env=environment() | variables,
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,
            check=False,
        )

    return run
