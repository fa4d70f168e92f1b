"""Bring the table of renders to the version that this code works with.

Alembic's scripts lie in ``migrations/`` beside this module and are run at every start, on the service's own
connection. A database that is already there is left alone without even importing Alembic, which costs more
than the rest of the start.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from manimcast.database.errors import DatabaseError

HEAD = "0009"
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
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseError(
            f"the database is at revision {before}, which this version of manimcast does not know: a newer one has "
            "used it. Run that version, or set DATA_DIR (or DATABASE_URL) to another place."
        ) from error
    if revision(connection) != HEAD:
        raise DatabaseError(f"the database is at revision {revision(connection)} after its migration, not at {HEAD}")


def revision(connection: Connection) -> str | None:
    """Return the revision that the database is at, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
