"""The seam between the service and the place where its videos live.

Whoever keeps or hands out a video speaks to a :class:`Storage` and knows no more of it. There are two:
:class:`~manimcast.storage.local.LocalStorage`, a folder of this machine, and
:class:`~manimcast.storage.remote.RemoteStorage`, a bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from manimcast.spec import RenderReport
from manimcast.storage.model import StoredFile, StoredResult


@dataclass(frozen=True)
class Link:
    """Where a file can be had until ``expires_at``; None is for ever.

    A ``url`` that begins with a slash is one of this service, whose own address only the HTTP layer knows.
    """

    url: str
    expires_at: datetime | None

    @property
    def is_here(self) -> bool:
        """Whether this service hands out the file itself."""
        return self.url.startswith("/")


@dataclass(frozen=True)
class Status:
    """How many results, or removals, still wait for the place where they belong, and why, if something is wrong."""

    pending: int = 0
    fault: str | None = None


@dataclass(frozen=True)
class Unconfirmed:
    """A result that was stored under ``place``, of which a row may not tell; ``stored`` is None for all of it there."""

    place: str
    stored: StoredResult | None


@dataclass(frozen=True)
class UnderWay:
    """The result of a render that is safe, but not yet where it stays, or not confirmed."""

    render_id: str
    stored: StoredResult
    report: RenderReport


class Storage(Protocol):
    """Keeps the files of finished renders.

    All methods but :meth:`link`, :meth:`path` and :meth:`status` may raise
    :class:`~manimcast.storage.model.StorageError`, whose message says what to do about it.
    """

    @property
    def kind(self) -> str:
        """What health says of it: ``local``, ``s3``, ``gcs`` or ``azure``."""

    @property
    def is_shared(self) -> bool:
        """Whether other replicas of the service find there what this one stores."""

    async def start(self) -> None:
        """Open it, and see that it can be written."""

    async def stop(self) -> None:
        """End what runs in the background; the next start goes on with it."""

    async def put(self, render_id: str, directory: Path, report: RenderReport) -> StoredResult:
        """Take the files that ``report`` names out of ``directory``. When this returns, they survive a crash.

        From before they are there on, they are among the :meth:`unconfirmed` ones: whoever stores them is to
        :meth:`confirm` or :meth:`delete` them.
        """

    async def confirm(self, place: str, stored: StoredResult | None) -> None:
        """Take note that a row tells of what was stored. That this is not noted is no error: it is looked up later."""

    async def unconfirmed(self) -> Sequence[Unconfirmed]:
        """Return what was stored and neither confirmed nor deleted, as far as nobody else is at it."""

    async def settle(self, stored: StoredResult) -> StoredResult:
        """Return when the files are where they stay, or when that takes too long, what is to be written down of them.

        May be canceled without harm: that is ``stored`` itself then.
        """

    async def holds(self, place: str, stored: StoredResult) -> bool:
        """Tell whether the files that ``stored`` names are there and are what was stored.

        That is looked at where they lie on this machine; for objects of a bucket it is taken to be so.
        """

    async def delete(self, render_id: str, stored: StoredResult | None = None) -> None:
        """Remove what ``stored`` names; without it, what any attempt at the render has left and no row tells of.

        What cannot be removed now is removed later. Nothing there is no error.
        """

    async def read(self, place: str, file: StoredFile) -> BinaryIO:
        """Return a file of a result, open for reading at its beginning. What is in it is what lies there by now.

        Raises :class:`~manimcast.storage.model.NoSuchFile` when it is not there.
        """

    async def keep(self, key: str, path: Path) -> None:
        """Store a copy of the file at ``path``, which renders will use, under ``key``: 64 hexadecimal digits."""

    async def fetch(self, key: str) -> BinaryIO:
        """Return that file, open for reading at its beginning, from then on whatever happens to the stored one.

        Raises :class:`~manimcast.storage.model.NoSuchFile` when it is not there.
        """

    async def drop(self, key: str) -> None:
        """Remove that file; nothing there is no error."""

    def under_way(self) -> tuple[UnderWay, ...]:
        """Return what is not yet where it stays, or not confirmed, the newest first.

        After a crash that may be what no row tells of: whoever knows the rows is to write it down, or to delete it.
        """

    async def link(self, render_id: str, file: StoredFile, *, method: str = "GET") -> Link:
        """Return a fresh link that opens ``file`` for requests of ``method``."""

    def path(self, render_id: str, name: str) -> Path:
        """Return where a file lies on this machine.

        Raises :class:`~manimcast.storage.model.NoSuchFile` when it does not, or not any more.
        """

    def verify(self, render_id: str, name: str, *, expires: str, signature: str) -> None:
        """Return if a link to this service is good, else raise ``LinkForged`` or ``LinkExpired``."""

    def status(self) -> Status:
        """Tell how it is, without asking anybody."""
