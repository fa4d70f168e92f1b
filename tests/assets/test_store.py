"""The rows of assets, in both databases: one for each content, quotas that hold, pages, and what a deletion leaves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from manimcast.assets.incoming import sweep
from manimcast.assets.store import Asset, AssetStore, Quota, QuotaError
from manimcast.attached import AssetKind
from manimcast.database import Database
from manimcast.settings import Settings

pytestmark = pytest.mark.anyio

PLENTY = Quota(100, 1 << 30)
NOW = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)


def an_asset(number: int, *, size: int = 10, place: str = "", name: str = "a.txt", when: datetime = NOW) -> Asset:
    return Asset(
        id=f"ast_{number:064x}",
        place=place or f"{number:064x}",
        name=name,
        kind=AssetKind.data,
        media_type="text/plain",
        bytes=size,
        created_at=when,
    )


@pytest.fixture
async def store(anyio_backend: str, settings: Callable[..., Settings]) -> AsyncIterator[AssetStore]:
    database = Database(settings())
    await database.open()
    yield AssetStore(database)
    await database.close()


async def add(store: AssetStore, tenant: str, new: Asset, quota: Quota) -> Asset:
    await store.note(new.place)
    return await store.add(tenant, new, quota)


async def test_one_row_for_each_content_of_a_tenant(store: AssetStore) -> None:
    first = await add(store, "t", an_asset(1), PLENTY)
    again = await add(store, "t", an_asset(1, place="other", name="b.txt"), PLENTY)
    assert (first.place, again.place, again.name) == (first.place, first.place, "b.txt")
    theirs = await add(store, "u", an_asset(1, place="theirs"), PLENTY)
    assert theirs.place == "theirs"
    found = await store.find("t", [first.id, "ast_none"])
    assert found == {first.id: again}
    assert await store.remove("t", first.id) == first.place
    assert await store.remove("t", first.id) is None
    assert await store.find("u", [first.id]) == {first.id: theirs}


async def test_quotas_hold_against_many_at_once(store: AssetStore) -> None:
    quota = Quota(5, 45)
    results = await asyncio.gather(
        *(add(store, "t", an_asset(number), quota) for number in range(10)), return_exceptions=True
    )
    refused = [one for one in results if isinstance(one, QuotaError)]
    assert len(refused) == 6
    assert len(await store.newest("t", before=None, limit=100)) == 4
    assert str(refused[0]) == "your assets are 40 bytes together, and may be 45; 10 more are too many"
    await add(store, "t", an_asset(99, size=5), quota)
    with pytest.raises(QuotaError, match="you have 5 assets, and may have 5"):
        await add(store, "t", an_asset(100, size=0), quota)


async def test_pages_have_each_once_also_of_one_moment(store: AssetStore) -> None:
    for number in range(7):
        await add(store, "t", an_asset(number, when=NOW + timedelta(microseconds=number // 3)), PLENTY)
    seen: list[Asset] = []
    while page := await store.newest("t", before=(seen[-1].created_at, seen[-1].id) if seen else None, limit=2):
        seen += page
    assert [int(one.id[4:], 16) for one in seen] == [6, 5, 4, 3, 2, 1, 0]


def test_half_an_upload_of_a_dead_service_is_cleared_away(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old", tmp_path / "fresh"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [fresh]
