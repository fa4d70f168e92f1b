"""The rows of assets: one for each content that a tenant has uploaded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, update

from manimcast.assets.table import asset_drops, assets
from manimcast.attached import AssetKind
from manimcast.database import Database, Lock, Now, present

CLAIM_SECONDS = 1800.0
"""Within which bytes must have become an asset's, after their place was noted; after twice that they are adrift."""


@dataclass(frozen=True)
class Asset:
    """An uploaded file. ``place`` is what the storage knows its bytes by."""

    id: str
    place: str
    name: str
    kind: AssetKind
    media_type: str
    bytes: int
    created_at: datetime


@dataclass(frozen=True)
class Quota:
    """How many assets a tenant may have, and how many bytes in all."""

    count: int
    bytes: int


class QuotaError(Exception):
    """The tenant has as much as it may have. The message says of what."""


class LateError(Exception):
    """The bytes of an asset took so long to be stored that they may have been removed again."""


class AssetStore:
    """The table of assets. Every method that takes a ``tenant`` sees the assets of that one only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, place: str) -> datetime:
        """Note that bytes are about to be stored at ``place``, to be removed unless :meth:`add` takes them.

        Returns when that was, by the database's clock.
        """
        async with self._database.write() as connection:
            await connection.execute(insert(asset_drops).values(place=place, noted=Now()))
            return await present(connection)

    async def dropped(self, place: str) -> None:
        """Note that nothing is stored at ``place`` any more."""
        async with self._database.write() as connection:
            await connection.execute(delete(asset_drops).where(asset_drops.c.place == place))

    async def adrift(self, limit: int) -> list[str]:
        """Return up to ``limit`` places whose bytes whoever was to remove them has left, longest ago first."""
        old = select(asset_drops.c.place).where(asset_drops.c.noted < Now() - 2 * CLAIM_SECONDS)
        async with self._database.read() as connection:
            return [*(await connection.execute(old.order_by(asset_drops.c.noted).limit(limit))).scalars()]

    async def add(self, tenant: str, new: Asset, quota: Quota) -> Asset:
        """Enter ``new``, and return the asset that there is now: where its content was there, that one, renamed.

        Raises :class:`QuotaError`, and :class:`LateError` when its place was noted too long ago.
        """
        async with self._database.write(Lock.assets) as connection:
            mine = assets.c.tenant == tenant
            known = (await connection.execute(select(assets).where(mine, assets.c.id == new.id))).first()
            if known is not None:
                renamed = {"name": new.name, "kind": new.kind.value, "media_type": new.media_type}
                await connection.execute(update(assets).where(mine, assets.c.id == new.id).values(renamed))
                return _asset(known, **renamed)
            used = select(func.count(), func.coalesce(func.sum(assets.c.bytes), 0)).where(mine)
            count, size = (await connection.execute(used)).one()
            if count >= quota.count:
                raise QuotaError(f"you have {count} assets, and may have {quota.count}; delete some first")
            if size + new.bytes > quota.bytes:
                raise QuotaError(
                    f"your assets are {size} bytes together, and may be {quota.bytes}; {new.bytes} more are too many"
                )
            values = {name: getattr(new, name) for name in ("id", "place", "name", "media_type", "bytes", "created_at")}
            await connection.execute(insert(assets).values(tenant=tenant, kind=new.kind.value, **values))
            noted = (asset_drops.c.place == new.place, asset_drops.c.noted > Now() - CLAIM_SECONDS)
            if (await connection.execute(delete(asset_drops).where(*noted))).rowcount != 1:
                raise LateError
        return new

    async def find(self, tenant: str, ids: Collection[str]) -> dict[str, Asset]:
        """Return those of the assets ``ids`` that the tenant has."""
        statement = select(assets).where(assets.c.tenant == tenant, assets.c.id.in_(ids))
        async with self._database.read() as connection:
            return {row.id: _asset(row) for row in await connection.execute(statement)}

    async def newest(self, tenant: str, *, before: tuple[datetime, str] | None, limit: int) -> list[Asset]:
        """Return up to ``limit`` assets, the newest first: those that come after ``before``, a time and an id."""
        conditions: list[ColumnElement[bool]] = [assets.c.tenant == tenant]
        if before is not None:
            when, last = before
            older = and_(assets.c.created_at == when, assets.c.id < last)
            conditions.append(or_(assets.c.created_at < when, older))
        statement = select(assets).where(*conditions).order_by(assets.c.created_at.desc(), assets.c.id.desc())
        async with self._database.read() as connection:
            return [_asset(row) for row in await connection.execute(statement.limit(limit))]

    async def remove(self, tenant: str, asset_id: str) -> str | None:
        """Forget an asset, and return the place of its bytes, which are to be removed; None when there is none."""
        mine = (assets.c.tenant == tenant, assets.c.id == asset_id)
        async with self._database.write() as connection:
            going = delete(assets).where(*mine).returning(assets.c.place)
            place: str | None = (await connection.execute(going)).scalar()
            if place is not None:
                await connection.execute(insert(asset_drops).values(place=place, noted=Now()))
        return place


def _asset(row: Row[Any], **changed: Any) -> Asset:
    fields = {column.name: getattr(row, column.name) for column in assets.c if column.name != "tenant"} | changed
    return Asset(**fields | {"kind": AssetKind(fields["kind"])})
