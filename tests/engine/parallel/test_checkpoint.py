"""A copy of the process that goes on where another way did not work."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]
PRELUDE = """
import os, random, signal, sys
from manimcast.engine.parallel.checkpoint import Checkpoint
checkpoint = Checkpoint()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_copy_goes_on_from_where_it_was_made() -> None:
    done = run("""
        random.seed(1)
        print("before")
        order = checkpoint.take()
        drawn = random.random()
        if order is None:
            print("first way", flush=True)
            checkpoint.hand_over({"drawn": drawn})
        print("second way", order["drawn"] == drawn)
        sys.exit(3)
    """)
    assert done.stdout.splitlines() == ["before", "first way", "second way True"]
    assert done.returncode == 3


def test_a_signal_that_ends_the_copy_ends_both() -> None:
    done = run("""
        if checkpoint.take() is None:
            checkpoint.hand_over({"go": True})
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert done.returncode == -9


@pytest.mark.parametrize("end", ["checkpoint.drop()", "pass"])
def test_a_copy_that_is_not_needed_is_gone_and_has_done_nothing(end: str) -> None:
    done = run(f"""
        if checkpoint.take() is not None:
            print("second way")
        {end}
        print("end")
    """)
    assert done.stdout.splitlines() == ["end"]  # which comes to its end only when nobody holds it open any more
    assert done.returncode == 0
