"""Videos in a bucket: Amazon's, any S3-compatible one, Google's or Azure's.

A finished video is first moved into the outbox, where it is as safe as in the local storage, and then uploaded. While
it is not in the bucket, whatever the reason, this service hands it out. What was stored locally before there was a
bucket is handed out as before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from manimcast.settings import Settings
from manimcast.spec import RenderReport
from manimcast.storage.arrivals import Arrivals
from manimcast.storage.base import Link, Status, Unconfirmed, UnderWay
from manimcast.storage.bucket import Bucket, Headers
from manimcast.storage.local import LocalStorage
from manimcast.storage.model import BucketError, NoSuchFile, StorageError, StoredFile, StoredResult
from manimcast.storage.outbox import Order, Outbox
from manimcast.storage.places import endpoint, name_objects
from manimcast.storage.shelf import opened
from manimcast.storage.uploads import Uploads
from manimcast.storage_settings import Place

DELETING = 5.0
"""Seconds that a deletion is waited for; after that it goes on in the background."""

logger = logging.getLogger(__name__)


class RemoteStorage:
    """Keeps finished files in the bucket ``place``; see :class:`~.base.Storage`."""

    is_shared = True

    def __init__(self, settings: Settings, place: Place) -> None:
        self.kind: str = place.kind
        self._settings = settings
        self._place = place
        self._local = LocalStorage(settings)
        self._bucket = Bucket(settings, place)
        self._outbox = Outbox(settings.data_dir.absolute())
        self._uploads = Uploads(self._outbox, self._bucket)
        self._arrivals = Arrivals(self._bucket)

    async def start(self) -> None:
        """Check the bucket and go on with what the last service left in the outbox.

        Raises :class:`StorageError` when ``DATA_DIR`` cannot be written, and when the bucket cannot be used. Only a
        bucket that could be used the last time may be down for a while.
        """
        await self._local.start()
        parcels, orders = await asyncio.to_thread(self._outbox.open)
        begun = set(await asyncio.to_thread(self._outbox.all_begun)).difference(*(parcel.keys for parcel in parcels))
        name = f"{self._place.kind} {endpoint(self._settings)} {self._place.bucket}"
        try:
            await self._bucket.check()
            await asyncio.to_thread(self._outbox.worked, name)
        except BucketError as error:
            if error.is_lasting or not await asyncio.to_thread(self._outbox.has_worked, name):
                raise
            logger.warning("the bucket cannot be used at the moment; videos are kept here until it can: %s", error)
        for parcel in parcels:
            self._uploads.send(parcel)
        for order in orders:
            self._uploads.carry_out(order)
        self._uploads.clear(sorted(begun))

    async def stop(self) -> None:
        """Stop uploading; the next start goes on with it."""
        await self._uploads.stop()
        await self._local.stop()
        await asyncio.to_thread(self._outbox.close)

    async def put(self, render_id: str, directory: Path, report: RenderReport) -> StoredResult:
        """Move the files that ``report`` names from ``directory`` into the outbox and begin to upload them.

        The objects are new ones, whatever other attempts have stored. Raises :class:`StorageError`, and then keeps
        nothing, when a file is missing, is not what the report says, or cannot be written here.
        """
        uuid = uuid4()

        def named(files: tuple[StoredFile, ...]) -> tuple[StoredFile, ...]:
            return name_objects(files, render_id, uuid, self._place, self._settings.storage_template)

        parcel = await asyncio.to_thread(self._outbox.pack, str(uuid), render_id, directory, report, named)
        self._uploads.send(parcel)
        return StoredResult(files=parcel.files)

    async def settle(self, stored: StoredResult) -> StoredResult:
        """Wait for the upload until it has worked, has failed, or ``STORAGE_UPLOAD_WAIT`` is over."""
        await self._uploads.settle(frozenset(_keys(stored)), self._settings.storage_upload_wait)
        return stored.model_copy(update={"files": tuple(map(self._as_it_is, stored.files))})

    def _as_it_is(self, file: StoredFile) -> StoredFile:
        is_pending = file.key is not None and self._uploads.pending(file.key)
        return file.model_copy(update={"on_its_way": is_pending})

    async def confirm(self, place: str, stored: StoredResult | None) -> None:
        """Let the note on it go, once the files have arrived."""
        self._uploads.confirm(frozenset(_keys(stored)) if stored is not None else frozenset())
        await self._local.confirm(place, stored)

    async def unconfirmed(self) -> Sequence[Unconfirmed]:
        """Return what this process has not been told of, and what dead ones had before there was a bucket."""
        parcels = self._uploads.unconfirmed()
        ours = [Unconfirmed(parcel.render_id, StoredResult(files=parcel.files)) for parcel in parcels]
        return [*ours, *await self._local.unconfirmed()]

    async def holds(self, place: str, stored: StoredResult) -> bool:
        """Tell whether the files are there; those that are objects of the bucket are taken to be."""
        here = StoredResult(files=tuple(file for file in stored.files if file.key is None))
        return await self._local.holds(place, here)

    async def delete(self, render_id: str, stored: StoredResult | None = None) -> None:
        """Remove the objects that ``stored`` names, or all that is still on its way for the render.

        What the bucket does not do at once is done in the background, also after a restart.
        """
        if stored is None:
            keys = tuple(key for parcel in self._uploads.parcels(render_id) for key in sorted(parcel.keys))
        else:
            keys = _keys(stored)
        if keys:
            await asyncio.wait({self._uploads.carry_out(await self._order(keys))}, timeout=DELETING)
        await self._local.delete(render_id)

    async def read(self, place: str, file: StoredFile) -> BinaryIO:
        """Open a file that is here, or download it into one that has no name; raises :class:`NoSuchFile`."""
        if file.key is None or self._uploads.pending(file.key):
            with contextlib.suppress(NoSuchFile):  # it may have arrived at this very moment
                return await asyncio.to_thread(lambda: opened(self.path(place, file.name)))
        if file.key is None:
            raise NoSuchFile("the file is not there any more")
        return await self._downloaded(file.key)

    async def keep(self, key: str, path: Path) -> None:
        """Upload a file that renders will use; when this returns, it is in the bucket."""
        headers = Headers("application/octet-stream", key, is_public=False)
        await self._bucket.upload(self._object(key), path, headers)

    async def fetch(self, key: str) -> BinaryIO:
        """Download such a file into one that has no name; raises :class:`NoSuchFile` when it is not there."""
        return await self._downloaded(self._object(key))

    async def _downloaded(self, key: str) -> BinaryIO:
        folder = self._settings.data_dir.absolute()
        file: BinaryIO = await asyncio.to_thread(tempfile.TemporaryFile, dir=folder)
        try:
            await self._bucket.download(key, file)
        except BaseException:
            file.close()
            raise
        return file

    async def drop(self, key: str) -> None:
        """Remove such a file; what the bucket does not do at once is done in the background, also after a restart."""
        await asyncio.wait({self._uploads.carry_out(await self._order((self._object(key),)))}, timeout=DELETING)

    def _object(self, key: str) -> str:
        return f"{self._place.prefix}assets/{key}"

    async def _order(self, keys: tuple[str, ...]) -> Order:
        name = str(uuid4())
        try:
            return await asyncio.to_thread(self._outbox.order, name, keys)
        except StorageError as error:
            logger.warning("a deletion was not written down, so a crash would forget it: %s", error)
            return Order(name, keys)

    def under_way(self) -> tuple[UnderWay, ...]:
        """Return what lies in the outbox."""
        return tuple(
            UnderWay(one.render_id, StoredResult(files=one.files), one.report) for one in self._uploads.parcels()
        )

    async def link(self, render_id: str, file: StoredFile, *, method: str = "GET") -> Link:
        """Return a link to the object; while that is on its way, wherever from, one to this service."""
        if file.key is None or self._uploads.pending(file.key):
            return self._local.here(render_id, file.name)
        if file.on_its_way and not await self._arrivals.has(file.key):
            return self._local.here(render_id, file.name)
        try:
            return await self._bucket.link(file.key, self._settings.link_ttl, method)
        except StorageError as error:
            logger.warning("a link could not be signed: %s", error)
            return self._local.here(render_id, file.name)

    def path(self, render_id: str, name: str) -> Path:
        """Return where a file lies as long as it lies here, or raise :class:`NoSuchFile`."""
        for parcel in self._uploads.parcels(render_id):
            return self._outbox.path(parcel, name)
        return self._local.path(render_id, name)

    def verify(self, render_id: str, name: str, *, expires: str, signature: str) -> None:
        """Return if a link to this service is good, else raise ``LinkForged`` or ``LinkExpired``."""
        self._local.verify(render_id, name, expires=expires, signature=signature)

    def status(self) -> Status:
        """Tell how much is on its way, and what is wrong, if anything is."""
        return self._uploads.status()


def _keys(stored: StoredResult) -> tuple[str, ...]:
    return tuple(file.key for file in stored.files if file.key is not None)
