"""Everything that a child starts ends with it, in namespaces and with a keeper alike; and what it cannot do there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from manimcast.sandbox.host import seccomp
from manimcast.sandbox.inside import landlock
from manimcast.sandbox.layers import FULL, NAMESPACES, Layer
from manimcast.sandbox.orders import Bounds, Orders
from tests.executors.rig import fresh_mark
from tests.patience import PATIENCE
from tests.sandbox.test_lifetimes import ROOT, running

BOUNDS = Bounds(memory=1 << 30, file_bytes=1 << 20, cpu_seconds=20, processes=30, files_bytes=4 << 20, files=50)
APART = frozenset({*NAMESPACES, Layer.own_proc, Layer.own_files})

ENDS = """
import os, signal, subprocess, sys, time
from manimcast.sandbox.inside import confine
from manimcast.sandbox.layers import Layer
from manimcast.sandbox.orders import Orders

orders, end, seconds = Orders.loads(sys.argv[1]), *sys.argv[2:]
reader, writer = os.pipe()

def render():
    # A daemon: forked twice, in a session of its own, deaf to SIGTERM.
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.execvp("sleep", ["sleep", seconds])
        os._exit(0)
    os.wait()
    os.write(writer, b"!")
    if end == "exits":
        os._exit(7)
    time.sleep(1000)

pid = confine.fork(orders, render)
os.read(reader, 1)
if end == "is killed":
    os.kill(pid, signal.SIGKILL if orders.has(Layer.pid_namespace) else signal.SIGTERM)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
"""

DOES = """
import errno, json, os, resource, socket, sys
from pathlib import Path
from manimcast.sandbox.inside import confine
from manimcast.sandbox.layers import Layer
from manimcast.sandbox.orders import Orders

orders, body = Orders.loads(sys.argv[1]), sys.argv[2]
ours, theirs = socket.socketpair()
wire_ours, wire = socket.socketpair()
log = os.open(os.devnull, os.O_WRONLY)
place = theirs.fileno() if orders.has(Layer.own_files) else os.open(sys.argv[3], os.O_RDONLY)

def render():
    here = confine.settle(wire.fileno(), place, log, orders)
    def attempt(call, *arguments):
        try:
            return repr(call(*arguments))
        except OSError as error:
            return errno.errorcode[error.errno]
    found = {}
    exec(body, {**globals(), "here": here, "attempt": attempt, "found": found})
    os.write(wire.fileno(), json.dumps(found).encode())
    os._exit(0)

pid = confine.fork(orders, render)
_, status = os.waitpid(pid, 0)
wire.close()
print(wire_ours.recv(1 << 16).decode() or json.dumps({"status": status}))
"""


def run(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def settled(body: str, folder: Path, *layers: Layer, **more: Any) -> dict[str, str]:
    """Run ``body`` in a child with ``layers``; it fills ``found``."""
    readable = ("/usr", "/etc", "/lib", "/lib64", "/bin", sys.prefix, sys.base_prefix, str(ROOT / "manimcast"))
    orders = Orders(frozenset(layers), BOUNDS, readable, **more)
    found: dict[str, str] = json.loads(run(DOES, orders.dumps(), body, str(folder)))
    return found


@pytest.mark.parametrize("end", ["exits", "is killed"])
@pytest.mark.parametrize("how", ["namespaces", "keeper"])
def test_nothing_outlives_a_render(how: str, end: str) -> None:
    seconds = fresh_mark()
    orders = Orders(APART if how == "namespaces" else frozenset({Layer.keeper}), BOUNDS)
    assert run(ENDS, orders.dumps(), end, seconds) == ("7" if end == "exits" else "-9")
    assert not running(seconds)


def test_its_files_are_limited_in_size_and_number(tmp_path: Path) -> None:
    body = """
def fill():
    for number in range(8):
        Path(f"big{number}").write_bytes(b"x" * (1 << 20))
def crowd():
    for number in range(60):
        Path(f"small{number}").touch()
found["size"] = attempt(fill)
for old in Path(".").glob("big*"):
    old.unlink()
found["number"] = attempt(crowd)
found["one"] = attempt(lambda: Path("big").write_bytes(b"x" * (1 << 21)))
found["here"] = str(here)
"""
    found = settled(f"import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{body}", tmp_path, *APART)
    assert found["size"] == "ENOSPC"
    assert found["number"] == "ENOSPC"
    assert found["one"] in {"EFBIG", "ENOSPC"}
    assert list(tmp_path.iterdir()) == [], "nothing of it is on the host"


def test_its_system_is_its_own(tmp_path: Path) -> None:
    body = """
found["processes"] = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
found["descriptors"] = len(os.listdir("/proc/self/fd")) - 1
found["interfaces"] = [name for _, name in socket.if_nameindex()]
found["environment"] = sorted(os.environ)
status = Path("/proc/self/status").read_text().splitlines()
found["capabilities"] = [line.split()[1] for line in status if line.startswith(("CapEff", "CapPrm"))]
found["limits"] = [resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_CORE)]
"""
    found = settled(body, tmp_path, *APART)
    assert found["processes"] == ["1"]
    assert found["descriptors"] == 4
    assert found["interfaces"] == ["lo"]
    assert "HOME" in found["environment"]
    assert "OLDPWD" not in found["environment"]
    assert set(found["capabilities"]) == {"0" * 16}
    assert found["limits"] == [30, 0]


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
def test_landlock_of_every_version_leaves_it_its_own_files_only(version: int, tmp_path: Path) -> None:
    if version > landlock.abi():
        pytest.skip(f"this kernel has version {landlock.abi()}")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("the host's")
    work = tmp_path / "work"
    work.mkdir()
    body = f"""
outside = Path({str(outside)!r})
found["read"] = attempt((outside / "secret").read_text)
found["list"] = attempt(lambda: list(outside.iterdir()))
found["write"] = attempt((outside / "new").touch)
found["remove"] = attempt((outside / "secret").unlink)
found["link"] = attempt(os.link, outside / "secret", "link")
found["system"] = attempt(Path("/usr/new").touch)
found["own"] = attempt(lambda: Path("own").write_text("mine"))
found["program"] = attempt(Path("/usr/bin/true").exists)
found["node"] = attempt(os.mknod, "node", 0o600 | 0o020000, 0)
"""
    found = settled(body, work, Layer.landlock, landlock_abi=version)
    assert {found[name] for name in ("read", "list", "write", "remove", "system")} == {"EACCES"}
    assert found["link"] in {"EACCES", "EXDEV"}
    assert found["own"] == "4"
    assert found["program"] == "True"
    assert found["node"] in {"EACCES", "EPERM"}
    assert (outside / "secret").read_text() == "the host's"


def test_the_filter_of_system_calls_is_in_force(tmp_path: Path) -> None:
    body = """
found["socket"] = attempt(socket.socket, socket.AF_INET)
found["pair"] = attempt(lambda: len(socket.socketpair()))
found["mode"] = Path("/proc/self/status").read_text().split("Seccomp:")[1].split()[0]
"""
    found = settled(body, tmp_path, Layer.seccomp, seccomp=seccomp.program())
    assert found == {"socket": "EPERM", "pair": "2", "mode": "2"}


def test_a_layer_that_cannot_be_applied_ends_the_child(tmp_path: Path) -> None:
    broken = Orders(frozenset({Layer.seccomp}), BOUNDS, readable=(str(ROOT),), seccomp=b"\0" * 8)
    assert json.loads(run(DOES, broken.dumps(), "found['ran'] = 'yes'", str(tmp_path))) == {"status": 97 << 8}


def test_the_full_tier_is_more_than_its_parts() -> None:
    assert set(NAMESPACES) < FULL
    assert {Layer.landlock, Layer.seccomp, Layer.bubblewrap, Layer.not_root} <= FULL
