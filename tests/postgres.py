"""A real PostgreSQL server, started for the tests that need one, with a database for each of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manimcast.database.connection import Database
from manimcast.settings import Settings
from tests.e2e.server import until

USER = "postgres"
"""The account that Debian's package makes. The server refuses to run as root."""
TEMPLATE = "manimcast_template"
ROOMY = {"max_connections": "300"}
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def programs() -> Path:
    """Return the folder of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    path = found[-1] if found else Path(shutil.which("initdb") or "")
    assert path.is_file(), "PostgreSQL is not installed; ./dev test installs it (Debian's package postgresql)"
    return path.parent


@dataclass(frozen=True)
class Postgres:
    """A running server, reached by a socket in its folder: a port that is free now may not be in a moment."""

    folder: Path

    def url(self, name: str) -> str:
        """Return a database of it as ``DATABASE_URL``."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def empty(self) -> str:
        """Return the URL of a new database in which nothing is."""
        return self._create("template0")

    def fresh(self) -> str:
        """Return the URL of a new database that has the service's tables."""
        return self._create(TEMPLATE)

    def prepare(self) -> None:
        """Make the database that :meth:`fresh` copies."""
        self.run(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        with ThreadPoolExecutor(1) as elsewhere:  # where no loop runs
            elsewhere.submit(asyncio.run, _migrate(self.url(TEMPLATE))).result()

    def run(self, statement: str, database: str = "postgres") -> str:
        """Run a statement and return what it answers, one line a row."""
        command = [str(programs() / "psql"), "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]
        done = subprocess.run([*command, "-c", statement], check=True, capture_output=True, text=True)
        return done.stdout

    def _create(self, template: str) -> str:
        name = f"t_{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)


async def _migrate(url: str) -> None:
    database = Database(Settings(_env_file=None, database_url=url))
    await database.open()
    await database.close()


@contextlib.contextmanager
def running(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a server with data of its own, and stop it. It may lose data with the machine, unless it is ``durable``."""
    tools = programs()
    account = pwd.getpwnam(USER).pw_uid if os.geteuid() == 0 else os.geteuid()
    folder = Path(tempfile.mkdtemp(prefix="manimcast-postgres-", dir="/tmp"))
    os.chown(folder, account, -1)
    user: dict[str, Any] = {"user": account, "group": pwd.getpwuid(account).pw_gid} if os.geteuid() == 0 else {}
    data = folder / "data"
    chosen = ROOMY if durable else ROOMY | QUICK
    options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    try:
        subprocess.run(
            [
                str(tools / "initdb"),
                "-D",
                str(data),
                "-U",
                USER,
                "-E",
                "UTF8",
                "--auth",
                "trust",
                "--no-sync",
                "--no-locale",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **user,
        )
        with (folder / "log").open("wb") as log:
            command = [str(tools / "postgres"), "-D", str(data), "-h", "", "-k", str(folder), *options]
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **user)
        try:
            until(lambda: _answers(tools, folder) or server.poll() is not None, "the start of PostgreSQL")
            assert server.poll() is None, (folder / "log").read_text()
            postgres = Postgres(folder)
            postgres.prepare()
            yield postgres
        finally:
            server.send_signal(signal.SIGINT)  # its fast shutdown
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(tools: Path, folder: Path) -> bool:
    command = [str(tools / "pg_isready"), "-h", str(folder)]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
