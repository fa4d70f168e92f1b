"""What is being stored is noted until somebody says what became of it, and the dead's is told from the living's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from manimcast.storage.intents import Intents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Intents(tmp_path / "storing").prepare()
    return tmp_path / "storing"


def test_only_what_nobody_holds_is_left(folder: Path) -> None:
    one, other = Intents(folder), Intents(folder)
    one.note("rnd_1")
    one.note("rnd_2")
    assert one.left() == other.left() == []
    one.drop("rnd_1")
    one.drop("rnd_1")
    one.close()
    assert other.left() == ["rnd_2"]
    other.note("rnd_2")  # another attempt of the same name: it is that one's now
    assert one.left() == []
    other.close()
    one.drop("rnd_2")
    assert list(folder.iterdir()) == []


def test_what_a_killed_process_has_noted_is_left(folder: Path) -> None:
    code = (
        "import sys, pathlib, signal\n"
        "from manimcast.storage.intents import Intents\n"
        f"Intents(pathlib.Path({str(folder)!r})).note('rnd_1')\n"
        "print('noted', flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "noted\n"
        assert Intents(folder).left() == []
        process.kill()
    (folder / ".rnd_2-00").touch()
    assert Intents(folder).left() == ["rnd_1"]
    assert [path.name for path in folder.iterdir()] == ["rnd_1"]
