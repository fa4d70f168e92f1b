"""nanio, which checks signatures and their times and keeps objects as files, and moto, which knows ACLs and hosts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.server import PATIENCE, until

KEY, SECRET, REGION, BUCKET = "key-of-the-tests", "secret-of-the-tests", "us-east-1", "videos"


@dataclass
class BucketServer:
    """A running server with one bucket. ``folder`` is where nanio keeps its objects."""

    command: list[str]
    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings of a service that uses this bucket."""
        return {
            "s3_endpoint": self.address,
            "s3_region": REGION,
            "s3_access_key_id": KEY,
            "s3_secret_access_key": SECRET,
            "s3_bucket": BUCKET,
        } | changes

    def objects(self) -> list[str]:
        """Return the keys of all objects in nanio's bucket."""
        bucket = self.folder / BUCKET
        found = (path.relative_to(bucket) for path in bucket.rglob("*") if path.is_file())
        # Besides them there are their headers, and files that are still being written.
        return sorted(
            str(path) for path in found if path.parts[0] != ".nanio-meta" and not path.name.startswith(".tmp.")
        )

    def unfinished(self) -> list[str]:
        """Return the uploads in parts that nanio has neither completed nor aborted."""
        found = self.folder / ".nanio" / "multipart"
        return sorted(path.name for path in found.iterdir()) if found.exists() else []

    def start(self) -> None:
        """Start it, at first on a free port and later on the same one, and wait until it listens."""
        for _ in range(20):
            port = self.port or _free_port()
            process = subprocess.Popen(
                [*self.command, "--port", str(port)],
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self.environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            until(lambda process=process, port=port: process.poll() is not None or _listens(process, port), "the port")
            if process.poll() is None:
                self.process, self.port = process, port
                return
        raise AssertionError("the server does not start")

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """End it; it can be started again, with the same objects if it is nanio."""
        if self.process is not None:
            self.process.send_signal(sig)
            self.process.wait(PATIENCE)
            self.process = None


@contextmanager
def nanio(folder: Path, *, clock: float = 0, bucket: str | None = BUCKET) -> Iterator[BucketServer]:
    """Run nanio with its objects in ``folder``; its clock is ``clock`` seconds ahead."""
    (folder / (bucket or "")).mkdir(parents=True)
    command = [sys.executable, "-m", "tests.buckets.nanio", str(clock), "serve", "--host", "127.0.0.1"]
    environment = {"NANIO_ACCESS_KEY": KEY, "NANIO_SECRET_KEY": SECRET, "PYTHONPATH": str(Path(__file__).parents[2])}
    server = BucketServer([*command, "--data-dir", str(folder)], folder, environment=environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def moto(folder: Path) -> Iterator[BucketServer]:
    """Run moto with an empty bucket, which checks ACLs and no signatures; ``BUCKET.localhost`` is the bucket too."""
    program = Path(sys.executable).with_name("moto_server")
    server = BucketServer([str(program), "-H", "127.0.0.1"], folder)
    server.start()
    try:
        request = urllib.request.Request(f"{server.address}/{BUCKET}", method="PUT")
        urllib.request.urlopen(request, timeout=PATIENCE).close()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Tell whether it is this process that listens on the port, and not one that was faster."""
    listening = "0A"
    sockets = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inodes = {f"socket:[{row[9]}]" for row in sockets if row[1] == f"0100007F:{port:04X}" and row[3] == listening}
    held = Path(f"/proc/{process.pid}/fd")
    try:
        return any(str(descriptor.readlink()) in inodes for descriptor in held.iterdir())
    except OSError:
        return False  # a descriptor, or the process, is gone
