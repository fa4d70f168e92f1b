"""The assets of a service: taken, listed, deleted; and handed to the renders that name them.

An asset is known by its content. A render takes note of what it was at the time it was asked for, so it draws that or,
when the asset was deleted before it began, fails and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import BinaryIO

from manimcast.assets.incoming import Incoming, sweep
from manimcast.assets.kinds import KindError, kind_of
from manimcast.assets.store import Asset, AssetStore, LateError, Quota
from manimcast.attached import AssetRef, AssetUse, asset_id
from manimcast.database import Database, DatabaseError
from manimcast.executors.attachment import Attachment
from manimcast.names import MAX_PART, check_name
from manimcast.settings import MIB, Settings
from manimcast.storage import NoSuchFile, Storage, StorageError


class AssetError(Exception):
    """An asset cannot be taken or used. ``field`` names what of the request is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class AssetGoneError(Exception):
    """An asset that a render is to have is not there any more."""


class Assets:
    """What one service knows of its tenants' assets. Methods may raise ``DatabaseError`` and ``StorageError``."""

    def __init__(self, settings: Settings, database: Database, storage: Storage) -> None:
        self._store = AssetStore(database)
        self._storage = storage
        self._quota = Quota(settings.tenant_assets, settings.tenant_assets_mib * MIB)
        self._most = settings.render_assets_mib * MIB
        self._data = settings.data_dir.absolute()
        self._largest = settings.max_asset_mib * MIB

    async def start(self) -> None:
        """Clear away uploads that a killed service has left half-way."""
        await asyncio.to_thread(sweep, self._data / "incoming")

    def incoming(self) -> Incoming:
        """Return where the bytes of an upload go, until it is complete."""
        return Incoming(self._data / "incoming", self._largest)

    async def take(self, tenant: str, name: str, file: Incoming) -> tuple[Asset, bool]:
        """Keep what has arrived as ``name``; return the asset, and whether it is a new one.

        Raises :class:`AssetError` when it is no file that is taken, and
        :class:`~manimcast.assets.store.QuotaError` when the tenant may not have more.
        """
        if "/" in name or len(name.encode("utf-8", "replace")) > MAX_PART:
            reason = f"it is one of a file, of at most {MAX_PART} bytes; a render gives it a path, if it is to have one"
            raise AssetError("file", f"{name[:MAX_PART]!r} cannot be the name of an asset: {reason}")
        try:
            check_name(name)
            found = kind_of(name, file.head, is_text=file.is_text)
        except (ValueError, KindError) as error:
            raise AssetError("file", str(error)) from None
        if not file.size:
            raise AssetError("file", f"{name!r} is empty")
        place = secrets.token_hex(32)
        new = Asset(
            id=asset_id(file.sha256),
            place=place,
            name=name,
            kind=found.kind,
            media_type=found.media_type,
            bytes=file.size,
            created_at=await self._store.note(place),
        )
        try:
            # The bytes first: what has a row can be used.
            await self._storage.keep(new.place, file.path)
            kept = await self._store.add(tenant, new, self._quota)
        except LateError:
            await self._drop(new.place)
            raise StorageError("storing the asset took too long") from None
        except BaseException:
            await self._drop(new.place)
            raise
        if kept.place != new.place:
            await self._drop(new.place)
        return kept, kept.place == new.place

    async def get(self, tenant: str, asset_id: str) -> Asset | None:
        """Return the asset, or None when the tenant has none with this id."""
        return (await self._store.find(tenant, [asset_id])).get(asset_id)

    async def newest(self, tenant: str, *, before: tuple[datetime, str] | None = None, limit: int) -> list[Asset]:
        """Return up to ``limit`` assets, the newest first: those that come after ``before``, a time and an id."""
        return await self._store.newest(tenant, before=before, limit=limit)

    async def delete(self, tenant: str, asset_id: str) -> bool:
        """Remove the asset with its bytes; tell whether there was one. Renders that have begun go on with it."""
        place = await self._store.remove(tenant, asset_id)
        if place is not None:
            await self._drop(place)
        return place is not None

    async def _drop(self, place: str) -> None:
        with contextlib.suppress(StorageError, DatabaseError):  # then the sweep does it
            await self._storage.drop(place)
            await self._store.dropped(place)

    async def sweep(self, limit: int) -> None:
        """Remove the bytes of up to ``limit`` assets which a service that died was storing or removing."""
        for place in await self._store.adrift(limit):
            await self._storage.drop(place)
            await self._store.dropped(place)

    async def resolve(self, tenant: str, references: Sequence[AssetRef]) -> tuple[AssetUse, ...]:
        """Return what the assets are that a render asks for, as they are now. Raises :class:`AssetError`."""
        if not references:
            return ()
        found = await self._store.find(tenant, {reference.id for reference in references})
        uses = []
        for index, reference in enumerate(references):
            asset = found.get(reference.id)
            if asset is None:
                raise AssetError(f"assets[{index}]", f"assets[{index}]: there is no asset {reference.id}")
            name = reference.name or asset.name
            uses.append(AssetUse(id=asset.id, name=name, kind=asset.kind, bytes=asset.bytes))
        if (size := sum(use.bytes for use in uses)) > self._most:
            raise AssetError("assets", f"assets must not be larger than {self._most} bytes together; they have {size}")
        return tuple(uses)

    @asynccontextmanager
    async def opened(self, tenant: str, uses: Sequence[AssetUse]) -> AsyncIterator[tuple[Attachment, ...]]:
        """Yield the bytes of the assets, in order. Raises :class:`AssetGoneError`, and ``StorageError``."""
        with contextlib.ExitStack() as files:
            attached = []
            found = await self._store.find(tenant, {use.id for use in uses}) if uses else {}
            for use in uses:
                if use.id not in found:
                    raise AssetGoneError(f"The asset {use.id} ({use.name}) was deleted before the render began.")
                try:
                    file = files.enter_context(await self._storage.fetch(found[use.id].place))
                except NoSuchFile:
                    raise AssetGoneError(
                        f"The bytes of the asset {use.id} ({use.name}) are not there any more."
                    ) from None
                if not await asyncio.to_thread(_is, file, use):
                    raise StorageError(f"the stored bytes of the asset {use.id} are not those that were uploaded")
                attached.append(Attachment(file, use.bytes))
            yield tuple(attached)


def _is(file: BinaryIO, use: AssetUse) -> bool:
    digest = hashlib.sha256()
    while data := file.read(1 << 20):
        digest.update(data)
    return digest.hexdigest() == use.sha256
