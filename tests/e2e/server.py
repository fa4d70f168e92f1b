"""A real service, in a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which a condition that should come true is taken for one that does not."""


def until(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of ``condition``; fail when none comes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen")


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
        """Return what lies in the working folder."""
        work = self.data / "work"
        return sorted(path.name for path in work.iterdir()) if work.exists() else []

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
        "PORT": "0",
        "DATA_DIR": str(data),
        "TEST_MARKER": marker,
    } | values


@contextmanager
def serving(data: Path, *, python: str = sys.executable, **settings: object) -> Iterator[Server]:
    """Start ``python run.py`` on ``data``, wait until it listens, and stop it at the end."""
    marker = f"marker-{os.getpid()}-{time.monotonic_ns()}"
    process = subprocess.Popen(
        [python, str(ROOT / "run.py")],
        cwd=data.parent,
        env=environment(data, marker, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Server(process, data, marker)
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
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


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
