"""Videos in a folder of this machine: ``DATA_DIR/videos/<render id>/<name>``, handed out by this service.

What renders use lies in ``DATA_DIR/assets``, and is handed out to nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from manimcast.settings import Settings
from manimcast.spec import RenderReport
from manimcast.storage.base import Link, Status, Unconfirmed, UnderWay
from manimcast.storage.blobs import Blobs
from manimcast.storage.intents import Intents
from manimcast.storage.links import SignedLink, Signer, check_key, make_key
from manimcast.storage.model import StoredFile, StoredResult
from manimcast.storage.shelf import RESULT_NAME, Shelf, opened, plainly

logger = logging.getLogger(__name__)


class LocalStorage:
    """Keeps finished files under ``DATA_DIR/videos`` and signs links to them; see :class:`~.base.Storage`."""

    kind = "local"
    is_shared = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._data = settings.data_dir.absolute()
        self._videos = Shelf(self._data / "videos")
        self._blobs = Blobs(self._data / "assets")
        self._intents = Intents(self._data / "storing")
        self._signer: Signer | None = None

    async def start(self) -> None:
        """Make the folders and the key, and clear away what a killed service left half-written.

        Raises :class:`StorageError` when ``DATA_DIR`` cannot be written.
        """
        await asyncio.to_thread(self._prepare)

    async def stop(self) -> None:
        """Leave what was not confirmed to others."""
        await asyncio.to_thread(self._intents.close)

    async def put(self, render_id: str, directory: Path, report: RenderReport) -> StoredResult:
        """Move the files that ``report`` names from ``directory`` into the storage.

        What an earlier attempt had stored under the same id is replaced. Raises :class:`StorageError`, and
        then keeps nothing, when a file is missing, is not what the report says, or cannot be written.
        """
        return StoredResult(files=await asyncio.to_thread(self._put, render_id, directory, report))

    def _put(self, name: str, directory: Path, report: RenderReport) -> tuple[StoredFile, ...]:
        if RESULT_NAME.fullmatch(name):  # else it is refused
            with plainly("the video could not be stored"):
                self._intents.note(name)
        try:
            return self._videos.put(name, directory, report.files)
        except BaseException:
            with contextlib.suppress(OSError):  # else it is looked up later
                self._intents.drop(name)
            raise

    async def confirm(self, place: str, stored: StoredResult | None) -> None:  # noqa: ARG002 - all of it
        """Forget that this may be nobody's."""
        try:
            await asyncio.to_thread(self._intents.drop, place)
        except OSError as error:
            logger.warning("that %s is stored was not noted, and is looked up later: %s", place, error)

    async def unconfirmed(self) -> Sequence[Unconfirmed]:
        """Return what dead services have stored, or were about to."""
        with plainly(f"DATA_DIR {self._data} cannot be read"):
            return [Unconfirmed(place, None) for place in await asyncio.to_thread(self._intents.left)]

    async def settle(self, stored: StoredResult) -> StoredResult:
        """Return at once: the files are where they stay."""
        return stored

    async def holds(self, place: str, stored: StoredResult) -> bool:
        """Tell whether the files are there, with the bytes that were stored."""
        return await asyncio.to_thread(self._videos.holds, place, stored.files)

    async def delete(self, render_id: str, stored: StoredResult | None = None) -> None:  # noqa: ARG002 - all of it goes
        """Remove everything that is stored for a render; nothing there is no error."""
        await asyncio.to_thread(self._remove, render_id)

    def _remove(self, render_id: str) -> None:
        self._videos.remove(render_id)
        self._intents.drop(render_id)

    async def read(self, place: str, file: StoredFile) -> BinaryIO:
        """Open a file of a result, or raise :class:`NoSuchFile`."""
        return await asyncio.to_thread(lambda: opened(self.path(place, file.name)))

    async def keep(self, key: str, path: Path) -> None:
        """Store a copy of a file that renders will use; raises :class:`StorageError`."""
        await asyncio.to_thread(self._blobs.keep, key, path)

    async def fetch(self, key: str) -> BinaryIO:
        """Open such a file, or raise :class:`NoSuchFile`."""
        return await asyncio.to_thread(self._blobs.open, key)

    async def drop(self, key: str) -> None:
        """Remove such a file."""
        await asyncio.to_thread(self._blobs.drop, key)

    def under_way(self) -> tuple[UnderWay, ...]:
        """Nothing ever is."""
        return ()

    async def link(self, render_id: str, file: StoredFile, *, method: str = "GET") -> Link:  # noqa: ARG002
        """Return a signed link to the file, on this service."""
        return self.here(render_id, file.name)

    def here(self, render_id: str, name: str) -> Link:
        """Return a link to the file on this service, which works for ``LINK_TTL`` seconds."""
        signed = self.sign(render_id, name)
        return Link(f"/v1/files/{render_id}/{name}?{signed.query}", signed.expires_at)

    def path(self, render_id: str, name: str) -> Path:
        """Return where a stored file lies, or raise :class:`NoSuchFile`."""
        return self._videos.path(render_id, name)

    def sign(self, render_id: str, name: str, ttl: float | None = None) -> SignedLink:
        """Return what makes a link to the file good for ``ttl`` seconds, ``LINK_TTL`` by default."""
        return self._links.sign(render_id, name, self._settings.link_ttl if ttl is None else ttl)

    def verify(self, render_id: str, name: str, *, expires: str, signature: str) -> None:
        """Return if the link is good, else raise ``LinkForged`` or ``LinkExpired``."""
        self._links.verify(render_id, name, expires=expires, signature=signature)

    def status(self) -> Status:
        """Nothing ever waits."""
        return Status()

    @property
    def _links(self) -> Signer:
        if self._signer is None:
            raise RuntimeError("the storage was not started")
        return self._signer

    def _prepare(self) -> None:
        self._videos.prepare()
        with plainly(f"DATA_DIR {self._data} cannot be written"):
            self._intents.prepare()
        with plainly(f"DATA_DIR {self._data} cannot be written"):
            if self._settings.signing_key is not None:
                self._signer = Signer(check_key(self._settings.signing_key.get_secret_value()))
            else:
                self._signer = Signer(make_key(self._data / "signing.key"))
