"""Run engine code in a process of its own: it changes Manim's global state."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]

PRELUDE = """
import json, os, sys
from pathlib import Path
from manimcast.engine import configure, diagnose, load, prelude, track
from manimcast.engine.errors import OutputTooLarge, SceneFailure
from manimcast.engine.render import render
from manimcast.spec import *
from tests.engine.watcher import Watcher
from manimcast.wire import Limits
import manim
from manim import config

LIMITS = Limits(duration=20, frames=1000, pixels=1 << 21, frame_rate=60, file_bytes=1 << 28)
HERE = Path.cwd()

def failure(spec):
    try:
        render(spec, LIMITS, HERE, lambda message: None)
    except SceneFailure as caught:
        return json.loads(caught.error.model_dump_json())
    raise AssertionError("it did not fail")

def answer(value):
    print("ANSWER", json.dumps(value))
"""


def in_child(folder: Path, code: str, *, path: str = "/usr/bin:/bin") -> Any:
    """Run ``code`` in a fresh interpreter in ``folder``; return what it gave to ``answer``. ``path`` is its PATH."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRELUDE + textwrap.dedent(code)],
        cwd=folder,
        env={
            "PATH": path,
            "HOME": str(folder),
            "TMPDIR": tempfile.gettempdir(),
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": "0",
        },
        capture_output=True,
        text=True,
        timeout=6 * PATIENCE,  # some draw dozens of scenes
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    return json.loads(line.removeprefix("ANSWER "))
