"""Hosts that lack something, made from this one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from manimcast.sandbox.host import bubblewrap

OWNER = (61_000 + os.getpid() % 4_000,) * 2
"""A user, and its group, as whom nothing else runs here: where there are no namespaces, a limit on the number of
processes counts all that the user has on this machine."""


@pytest.fixture
def without_bubblewrap(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host on which bubblewrap is not installed: every program of this one is on the PATH but that."""
    programs = tmp_path_factory.mktemp("programs")
    for folder in os.environ["PATH"].split(":"):
        for program in Path(folder).glob("*") if os.access(folder, os.R_OK | os.X_OK) else ():
            link = programs / program.name
            if program.name != "bwrap" and not link.is_symlink():
                link.symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(bubblewrap, "COPY", programs / "no-copy")
    assert shutil.which("bwrap") is None
    return programs
