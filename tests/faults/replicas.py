"""Replicas of the service that are killed, whole or in part, and come back."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.e2e.server import Server, serving
from tests.patience import until
from tests.wrong_clock import Clock

SERVER, ZYGOTE, RENDER, STOP, CLOCK = "server", "zygote", "render", "stop", "clock"
KINDS = (SERVER, ZYGOTE, RENDER, STOP)
"""What is killed with SIGKILL; or, ``stop``, the server told to end by SIGTERM, without grace."""
HOURS = (-30, -3, 0, 5, 26)
"""By which the clock of a replica's host is set wrong, or right again; that kills nothing."""


@dataclass(frozen=True)
class Fault:
    """What was done to which replica, and when: somewhere from ``began`` to ``ended``."""

    kind: str
    replica: int
    began: datetime
    ended: datetime


@dataclass
class Replica:
    """One of them: its settings, and the process that it is at the moment."""

    number: int
    data: Path
    settings: dict[str, Any]
    clock: Clock | None = None
    server: Server | None = None
    past: list[Server] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Start it, on a port that may be another one than before."""
        server = self._stack.enter_context(serving(self.data, clock=self.clock, **self.settings))
        self.past.append(server)
        self.server = server

    def stop(self) -> None:
        """End it, if it has not ended, and reap it."""
        self.server = None
        self._stack.close()

    def inner(self, kind: str) -> list[int]:
        """Return the zygote, or the processes of its renders, which lie in namespaces deeper than its own.

        What has put it into those, bubblewrap, bears its command line as well, and is neither.
        """
        assert self.server is not None
        depths: dict[int, int] = {}
        for pid in self.server.processes():
            with suppress(OSError):  # it has ended meanwhile
                program, *arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"manimcast.sandbox.inside.zygote" in arguments and not program.endswith(b"bwrap"):
                    numbers = Path(f"/proc/{pid}/status").read_text().partition("NSpid:")[2].splitlines()[0].split()
                    depths[pid] = len(numbers)
        shallowest = min(depths.values(), default=0)
        return sorted(pid for pid, depth in depths.items() if (depth == shallowest) == (kind == ZYGOTE))


class Replicas:
    """All of them. Clients take one that answers at the moment."""

    def __init__(self, replicas: list[Replica]) -> None:
        self.all = replicas
        self.faults: list[Fault] = []
        self._lock = threading.Lock()

    def any(self, rng: random.Random) -> Server:
        """Return a replica that has not been killed, as far as is known."""

        def living() -> Server | None:
            with self._lock:
                found = [one.server for one in self.all if one.server is not None]
            return rng.choice(found) if found else None

        server = until(living, "a replica that lives")
        assert server is not None
        return server

    def harm(self, replica: Replica, rng: random.Random) -> None:
        """Do something to one of them, and bring it back if it is gone."""
        kind = rng.choice(KINDS if replica.clock is None else (*KINDS, CLOCK))
        if kind == CLOCK and replica.clock is not None:
            began = datetime.now(UTC)
            replica.clock.set(3600 * rng.choice(HOURS))
            self.faults.append(Fault(kind, replica.number, began, datetime.now(UTC)))
            return
        server = replica.server
        assert server is not None
        pids = [server.process.pid] if kind in {SERVER, STOP} else replica.inner(kind)
        if not pids:  # nothing is rendered there, or nothing is warm yet
            kind, pids = SERVER, [server.process.pid]
        began = datetime.now(UTC)
        with suppress(ProcessLookupError):
            os.kill(rng.choice(pids), signal.SIGTERM if kind == STOP else signal.SIGKILL)
        if kind in {SERVER, STOP}:
            with self._lock:
                replica.server = None
            server.process.wait()
            replica.stop()
            self.faults.append(Fault(kind, replica.number, began, datetime.now(UTC)))
            replica.start()
        else:
            self.faults.append(Fault(kind, replica.number, began, datetime.now(UTC)))

    def left(self) -> list[int]:
        """Return the processes of all that ever ran here; there should be none once all have been stopped."""
        return [pid for one in self.all for server in one.past for pid in server.processes()]


@contextmanager
def running(folders: list[Path], *, are_hosts: bool = False, **settings: object) -> Iterator[Replicas]:
    """Run a replica for each folder, which may be the same one for all; those that ``are_hosts`` have clocks."""
    replicas = Replicas([Replica(number, data, dict(settings)) for number, data in enumerate(folders, 1)])
    if are_hosts:
        for one in replicas.all:
            one.clock = Clock(one.data.parent / "clock")
            one.clock.set(0)
    try:
        for one in replicas.all:
            one.start()
        yield replicas
    finally:
        for one in replicas.all:
            one.stop()
