"""Stored videos, counted by the renders that show them.

A video lies in the storage once, under the place of the attempt that made it, however many renders it answers: each
that shows it counts, and with the last one that is deleted or expires it goes. The count is a column that one statement
changes, so any number of services may add and take away at once. At zero nothing adds to it any more; the files are
removed then, and after them the row, so whatever dies in between, the next sweep finds what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Database, Now
from manimcast.renders.kept import KeptResult
from manimcast.renders.rows import Outcome, attempt_of, id_of
from manimcast.renders.table import joins, renders, videos
from manimcast.storage import StoredFile, StoredResult

_ROW = videos.c


class GoneError(Exception):
    """A video that was to be shared is not there any more."""


@dataclass(frozen=True)
class Video:
    """A stored video that may answer for a request again: its files, and what the render that made it said."""

    place: str
    stored: StoredResult
    kept: KeptResult


class Videos:
    """The table of stored videos."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: str) -> Video | None:
        """Return the newest video of requests that become what ``key`` stands for, if there is one."""
        newest = select(videos).where(_ROW.key == key, _ROW.shown > 0).order_by(_ROW.made.desc()).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(newest)).first()
        return None if row is None else _video(row)

    async def file(self, place: str, name: str) -> StoredFile | None:
        """Return what is known of a file of the video at ``place``, as long as a render shows it."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(_ROW.files).where(_ROW.place == place, _ROW.shown > 0))).first()
        files = StoredResult.model_validate(row.files).files if row is not None else ()
        return next((file for file in files if file.name == name), None)

    async def is_shown(self, place: str, stored: StoredResult | None) -> bool:
        """Tell whether a render, whichever it is, shows the video at ``place``; with ``stored``, these files of it."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(_ROW.files).where(_ROW.place == place, _ROW.shown > 0))).first()
        if row is None or stored is None:
            return row is not None
        return _objects(StoredResult.model_validate(row.files)) == _objects(stored)

    async def may_come(self, place: str) -> bool:
        """Tell whether the attempt whose video would be at ``place`` is the present one, and not over."""
        its_id, attempt = id_of(place), attempt_of(place)
        tables = ((renders, renders.c.id), (joins, joins.c.batch_id))
        async with self._database.read() as connection:
            for table, column in tables:
                mine = (column == its_id, table.c.attempt == attempt, table.c.status == "running")
                if (await connection.execute(select(column).where(*mine))).first() is not None:
                    return True
        return False

    async def unshown(self, limit: int, places: Iterable[str] | None = None) -> list[tuple[str, StoredResult]]:
        """Return videos that no render shows any more, of these ``places`` or of all; each with its files."""
        which = [_ROW.place.in_(list(places))] if places is not None else []
        statement = select(_ROW.place, _ROW.files).where(_ROW.shown <= 0, *which).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [(row.place, StoredResult.model_validate(row.files)) for row in rows]

    async def forget(self, place: str) -> None:
        """Remove the row of a video whose files are gone."""
        async with self._database.write() as connection:
            await connection.execute(delete(videos).where(_ROW.place == place, _ROW.shown <= 0))


async def show(connection: AsyncConnection, tenant: str, outcome: Outcome, renders_of_it: int = 1) -> bool:
    """Count renders that show the video of ``outcome``, which is entered if it is a new one.

    False when it was shared by others and is gone by now.
    """
    assert outcome.stored is not None  # noqa: S101 - what has succeeded has a video
    place = outcome.stored.place
    if outcome.shares:
        more = update(videos).where(_ROW.place == place, _ROW.shown > 0).values(shown=_ROW.shown + renders_of_it)
        return (await connection.execute(more)).rowcount == 1
    values = {
        "place": place,
        "tenant": tenant,
        "key": outcome.key,
        "files": outcome.stored.model_dump(mode="json"),
        "kept": outcome.kept and outcome.kept.model_dump(mode="json"),
        "shown": renders_of_it,
        "made": Now(),
    }
    await connection.execute(insert(videos).values(values))
    return True


async def hide(connection: AsyncConnection, places: Iterable[str | None]) -> None:
    """Count off renders that show the videos at these places no more."""
    # In one order, so that two who do this at once wait for each other and not both.
    for place, count in sorted(Counter(place for place in places if place is not None).items()):
        await connection.execute(update(videos).where(_ROW.place == place).values(shown=_ROW.shown - count))


def _objects(stored: StoredResult) -> list[tuple[str, str | None, str]]:
    """Return what a stored result is, wherever it has come by now."""
    return [(file.name, file.key, file.sha256) for file in stored.files]


def _video(row: Row[Any]) -> Video | None:
    stored = StoredResult.model_validate(row.files)
    return Video(row.place, stored, KeptResult.model_validate(row.kept)) if row.kept else None
