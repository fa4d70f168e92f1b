"""Everything that a render starts ends with it, in namespaces and with a keeper alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.test_lifetimes import ROOT, running

SCRIPT = """
import os, signal, subprocess, sys, time
from manimcast.sandbox.inside import confine
from manimcast.sandbox.inside.kernel import Namespace

how, end, seconds, ready = sys.argv[1:]
confinement = confine.probe() if how == "namespaces" else confine.Confinement(Namespace(0), own_proc=False)
assert (how == "namespaces") == bool(confinement.namespaces), confinement

def render():
    # A daemon: forked twice, in a session of its own, deaf to SIGTERM.
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.execvp("sleep", ["sleep", seconds])
        os._exit(0)
    os.wait()
    open(ready, "w").close()
    if end == "exits":
        os._exit(7)
    time.sleep(100)

pid = confine.fork(confinement, render)
while not os.path.exists(ready):
    time.sleep(0.01)
if end == "is killed":
    os.kill(pid, signal.SIGKILL if confinement.namespaces else signal.SIGTERM)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status), *confinement.layers)
"""


@pytest.mark.parametrize("end", ["exits", "is killed"])
@pytest.mark.parametrize("how", ["namespaces", "keeper"])
def test_nothing_outlives_a_render(how: str, end: str, tmp_path: Path) -> None:
    seconds = f"7{['namespaces', 'keeper'].index(how)}{['exits', 'is killed'].index(end)}13"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how, end, seconds, str(tmp_path / "ready")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    status, *layers = done.stdout.split()
    assert status == ("7" if end == "exits" else "-9")
    assert ("pid_namespace" in layers) == (how == "namespaces")
    assert not running(seconds)
