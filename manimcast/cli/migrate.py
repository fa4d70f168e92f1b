"""`manimcast migrate`: bring the service's database to the shape that this version works with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from manimcast.cli import outcome
from manimcast.cli.outcome import refuse
from manimcast.cli.settings import load_or_refuse

if TYPE_CHECKING:
    from manimcast.settings import Settings

EXAMPLES = """\b
Examples:
  manimcast migrate                        the database of ./data, or of DATABASE_URL
  manimcast migrate --check                whether there is anything to do
  manimcast migrate --data-dir /srv/casts  the one in another folder

A service does this itself when it starts, unless MIGRATE=off.
"""


def command(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; the exit code is 1 when there is something to do.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="FOLDER", help="Folder of the database. (DATA_DIR)")
    ] = None,
) -> None:
    """Bring the database up to date, and tell from which revision to which."""
    settings = load_or_refuse(data_dir=data_dir)
    try:
        from manimcast.database.errors import DatabaseError  # noqa: PLC0415  --help must not wait for it

        is_behind = asyncio.run(_migrate(settings, check=check))
    except ModuleNotFoundError as error:
        refuse(
            f"the service is not installed: {error}",
            hint="pip install 'manimcast[server]'",
            code=outcome.NO_EXECUTOR,
        )
    except DatabaseError as error:
        refuse(str(error), code=outcome.SCENE_FAILED)
    if is_behind:
        raise typer.Exit(outcome.SCENE_FAILED)


async def _migrate(settings: Settings, *, check: bool) -> bool:
    """Print how the database is and, unless ``check``, migrate it; tell whether it is behind now."""
    from manimcast.database.connection import Database  # noqa: PLC0415
    from manimcast.database.migrate import HEAD, steps  # noqa: PLC0415

    database = Database(settings)
    database.connect()
    try:
        before = await database.revision()
        was = f"at revision {before}" if before else "empty"
        if before == HEAD:
            print(f"{database.name} is at revision {HEAD}: nothing to do.")
            return False
        todo = steps(before)
        if check:
            print(f"{database.name} is {was}; this version needs {HEAD}. To do:")
        else:
            await database.migrate()
            print(f"{database.name} was {was} and is at revision {HEAD} now:")
        for revision, what in todo:
            print(f"  {revision}  {what}")
        return check
    finally:
        await database.close()
