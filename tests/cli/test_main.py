from __future__ import annotations

import subprocess
import sys

import pytest

from manimcast import __version__
from tests.cli.conftest import Run, environment


def test_help_names_every_command_with_examples(manimcast: Run) -> None:
    done = manimcast("--help")
    assert done.returncode == 0
    for word in ("render", "serve", "doctor", "version", "Examples:", "manimcast render scene.py"):
        assert word in done.stdout


def test_without_anything_the_help_is_shown(manimcast: Run) -> None:
    done = manimcast()
    assert done.returncode == 2
    assert "Usage: manimcast" in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["render", "serve", "doctor"])
def test_each_command_explains_itself(manimcast: Run, command: str) -> None:
    done = manimcast(command, "--help")
    assert done.returncode == 0
    assert f"Usage: manimcast {command}" in done.stdout


@pytest.mark.parametrize("how", [["version"], ["--version"], ["-V"]])
def test_versions(manimcast: Run, how: list[str]) -> None:
    done = manimcast(*how)
    assert done.returncode == 0
    assert done.stdout.startswith(f"manimcast {__version__} (manim ")


def test_a_wrong_command_is_wrong_usage(manimcast: Run) -> None:
    done = manimcast("rendr")
    assert done.returncode == 2
    assert "rendr" in done.stderr


@pytest.mark.parametrize("command", [[], ["render"], ["serve"], ["doctor"]])
def test_help_loads_nothing_heavy(command: list[str]) -> None:
    code = f"""
import sys
from manimcast.cli.main import app
try:
    app({[*command, "--help"]!r})
except SystemExit:
    pass
heavy = {{"manim", "numpy", "rich", "fastapi", "pydantic_settings", "sqlalchemy", "av"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
