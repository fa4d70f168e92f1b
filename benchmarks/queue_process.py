"""The service whose queue is measured, in a process of its own: where its data are, how it is started and asked."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from benchmarks import processes
from manimcast.settings import Settings

ROOT = Path(__file__).parents[1]
PATIENCE = 300.0
"""Seconds that an answer may take."""

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where a service keeps its data."""

    folder: Path
    database_url: str | None

    def environment(self, **settings: object) -> dict[str, str]:
        """Return the environment of a service there."""
        chosen = {"data_dir": self.folder / "data", "shared_data_dir": 1, "sandbox": "off", **settings}
        if self.database_url:
            chosen["database_url"] = self.database_url
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder)} | {
            name.upper(): str(value) for name, value in chosen.items()
        }

    def settings(self) -> Settings:
        """Return the settings for the same data in this process."""
        return Settings(_env_file=None, data_dir=self.folder / "data", database_url=self.database_url)


class Served:
    """A service's process, and how to reach it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.pid = process.pid
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def cpu(self) -> float:
        """Return the processor seconds that it has used."""
        return processes.cpu_seconds(self.pid)

    def memory(self) -> int:
        """Return its resident memory, in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def client(self) -> httpx.AsyncClient:
        """Return a client of it."""
        return httpx.AsyncClient(base_url=self.address, timeout=PATIENCE, trust_env=False)


@contextmanager
def serving(place: Place, **settings: object) -> Iterator[Served]:
    """Run a service."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = place.environment(port=port, log_level="ERROR", **settings)
    command = [sys.executable, "-m", "benchmarks.queue_service"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == "ready":
                    break
            else:
                raise RuntimeError("the service did not start")
            # What it logs later has to be read, or it would wait for that.
            threading.Thread(target=sys.stderr.writelines, args=(process.stdout,), daemon=True).start()
            yield Served(process, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def body(plays: int) -> dict[str, object]:
    """Return a request for a render of so many plays."""
    return {"code": f"class A(Scene): pass  # {plays}", "cache": "off"}


async def all_of(requests: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Make requests, a few at once."""
    gate = asyncio.Semaphore(16)

    async def one(request: Coroutine[Any, Any, T]) -> T:
        async with gate:
            return await request

    return await asyncio.gather(*map(one, requests))
