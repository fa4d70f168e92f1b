"""Bring the tables to the version that this code works with, or see that they are at it.

Alembic's scripts lie in ``migrations/`` beside this module and are run at every start, on the service's own
connection, unless an operator would rather do that by hand (``MIGRATE=off`` and ``manimcast migrate``). A database that
is already there is left alone without even importing Alembic, which costs more than the rest of the start.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from manimcast.database.errors import DatabaseError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0014"
"""The newest revision in ``migrations/versions``."""
SCRIPTS = Path(__file__).with_name("migrations")


def migrate(connection: Connection) -> None:
    """Upgrade the database behind ``connection``, in one transaction.

    Raises :class:`DatabaseError` when a newer manimcast has already changed it.
    """
    before = revision(connection)
    if before == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.util import CommandError  # noqa: PLC0415

    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise _newer(before) from error
    if revision(connection) != HEAD:
        raise DatabaseError(f"the database is at revision {revision(connection)} after its migration, not at {HEAD}")


def check(connection: Connection) -> None:
    """Raise :class:`DatabaseError` unless the database behind ``connection`` is at :data:`HEAD`."""
    found = revision(connection)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise _newer(found)
    raise DatabaseError(
        f"the database is {f'at revision {found}' if found else 'empty'}, and this version of manimcast needs {HEAD}. "
        "MIGRATE=off leaves that to you: run `manimcast migrate` with the same DATA_DIR and DATABASE_URL, once for all "
        "services."
    )


def steps(found: str | None) -> list[tuple[str, str]]:
    """Return what leads from the revision ``found`` to :data:`HEAD`: each revision, and what it is about."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = reversed(list(ScriptDirectory.from_config(_config()).walk_revisions()))
    return [(script.revision, script.doc) for script in scripts if found is None or script.revision > found]


def _newer(found: str | None) -> DatabaseError:
    return DatabaseError(
        f"the database is at revision {found}, which this version of manimcast does not know: a newer one has "
        "used it. Run that version, or set DATA_DIR (or DATABASE_URL) to another place."
    )


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def revision(connection: Connection) -> str | None:
    """Return the revision that the database is at, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
