"""A real service, in a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.disks import Disk, mounting
from tests.patience import PATIENCE, until
from tests.wrong_clock import Clock

ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    """A running service: its process, its address, what it logged."""

    process: subprocess.Popen[str]
    data: Path
    marker: str
    log: list[str] = field(default_factory=list)
    address: str = ""

    def client(self) -> httpx.Client:
        """Return a client of this service."""
        return httpx.Client(base_url=self.address, timeout=PATIENCE)

    def scratch(self) -> list[str]:
        """Return what lies in the working folders of services, and beside them."""
        folders = list((self.data / "work").glob("*"))
        beside = [path for path in folders if not (self.data / "owners" / path.name).exists()]
        return sorted(path.name for path in (*beside, *(self.data / "work").glob("*/*")))

    def processes(self) -> list[int]:
        """Return every process that has this service's marker in its environment or is a child of one that has."""
        found = {pid for pid in _pids() if self.marker in _environment(pid)}
        while more := {pid for pid in _pids() if pid not in found and _parent(pid) in found}:
            found |= more
        return sorted(found)


def environment(data: Path, marker: str, **settings: object) -> dict[str, str]:
    """Return an environment for a service, with nothing of the one that the tests run in but the path."""
    values = {name.upper(): str(value) for name, value in settings.items()}
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(data),
        "LANG": "C.UTF-8",
        "TMPDIR": tempfile.gettempdir(),
        "PORT": "0",
        "DATA_DIR": str(data),
        "TEST_MARKER": marker,
    } | values


@contextmanager
def serving(
    data: Path,
    *,
    python: str = sys.executable,
    clock: Clock | None = None,
    disks: Sequence[Disk] = (),
    **settings: object,
) -> Iterator[Server]:
    """Start ``python run.py`` on ``data``, wait until it listens, and stop it at the end.

    ``clock`` is its host's, and on ``disks`` lie folders of ``data``.
    """
    launcher = [] if clock is None else ["-m", "tests.wrong_clock", str(clock.path)]
    marker = f"marker-{os.getpid()}-{time.monotonic_ns()}"
    process = subprocess.Popen(
        [*mounting(data, disks), python, *launcher, str(ROOT / "run.py")],
        cwd=data.parent,
        env=environment(data, marker, **settings) | ({"PYTHONPATH": str(ROOT)} if clock else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Server(process, data, marker)
    for disk in disks:
        disk.mounted(process.pid, data)
    listening = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            server.log.append(line.rstrip())
            if match := re.search(r"Listening on (http://[\w.:\[\]]+)", line):
                server.address = match[1]
                listening.set()
        listening.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert listening.wait(PATIENCE)
        assert server.address, "\n".join(server.log)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            reader.join(PATIENCE)
            assert process.stdout is not None
            process.stdout.close()


def ended(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    """Create a render and return it when it has ended."""
    created = client.post("/v1/renders", json=body, headers={"prefer": "wait=60"})
    assert created.status_code in {200, 202}, created.text

    def over() -> dict[str, Any] | None:
        render: dict[str, Any] = client.get(f"/v1/renders/{created.json()['id']}").json()
        return render if render["status"] not in {"queued", "running"} else None

    found = until(over, "the end of the render")
    assert found is not None
    return found


def innermost(pids: list[int]) -> int:
    """Return the first process of the deepest namespace: the render."""
    depths = {}
    for pid in pids:
        with suppress(OSError):  # it has ended meanwhile
            numbers = Path(f"/proc/{pid}/status").read_text().partition("NSpid:")[2].splitlines()[0].split()
            depths[pid] = len(numbers), -int(numbers[-1])
    return max(depths, key=lambda pid: depths[pid])


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0
