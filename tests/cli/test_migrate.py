"""`manimcast migrate`, and a service that leaves it to whoever runs it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import alembic.command
from alembic.config import Config
from sqlalchemy import create_engine

from manimcast.database.migrate import HEAD, SCRIPTS, steps

from .conftest import Run

BEFORE = steps(None)[-2][0]
"""The revision before the newest."""


def revision(folder: Path) -> str | None:
    with closing(sqlite3.connect(folder / "data" / "manimcast.db")) as database:
        found = database.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        return database.execute("SELECT version_num FROM alembic_version").fetchone()[0] if found else None


def go_back(folder: Path) -> None:
    """Bring the database to the revision before the newest."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with create_engine(f"sqlite:///{folder / 'data' / 'manimcast.db'}").begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.downgrade(config, "-1")


def test_it_tells_from_which_revision_to_which(manimcast: Run, tmp_path: Path) -> None:
    checked = manimcast("migrate", "--check")
    assert (checked.returncode, revision(tmp_path)) == (1, None)
    assert "is empty" in checked.stdout
    done = manimcast("migrate")
    assert (done.returncode, revision(tmp_path)) == (0, HEAD), done.stderr
    assert f"was empty and is at revision {HEAD} now" in done.stdout
    assert "  0001  The first shape: one table of renders." in done.stdout
    assert manimcast("migrate", "--check").returncode == 0
    go_back(tmp_path)
    checked = manimcast("migrate", "--check")
    assert (checked.returncode, revision(tmp_path)) == (1, BEFORE)
    again = manimcast("migrate")
    assert f"was at revision {BEFORE} and is at revision {HEAD} now" in again.stdout
    assert "0001" not in again.stdout
    assert "nothing to do" in manimcast("migrate").stdout


def test_with_migrate_off_a_service_waits_for_it(manimcast: Run, tmp_path: Path) -> None:
    refused = manimcast("serve", "--port", "0", MIGRATE="off")
    assert refused.returncode == 1
    assert f"the database is empty, and this version of manimcast needs {HEAD}" in refused.stderr
    assert "run `manimcast migrate`" in refused.stderr
    assert revision(tmp_path) is None
    manimcast("migrate")
    go_back(tmp_path)
    refused = manimcast("serve", "--port", "0", MIGRATE="off")
    assert (refused.returncode, revision(tmp_path)) == (1, BEFORE)
    assert f"at revision {BEFORE}," in refused.stderr


def test_a_newer_database_is_left_alone(manimcast: Run, tmp_path: Path) -> None:
    manimcast("migrate")
    with closing(sqlite3.connect(tmp_path / "data" / "manimcast.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    for arguments, variables in ((("migrate",), {}), (("serve", "--port", "0"), {"MIGRATE": "off"})):
        done = manimcast(*arguments, **variables)
        assert done.returncode == 1
        assert "a newer one has used it" in done.stderr
    assert revision(tmp_path) == "9999"


def test_a_database_that_cannot_be_reached_is_told(manimcast: Run) -> None:
    done = manimcast("migrate", DATABASE_URL="postgresql://u@127.0.0.1:1/none")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
