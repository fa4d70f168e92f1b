"""Bytes that a service which died was storing or removing do not stay, and those of assets do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from manimcast.assets import Asset, Assets
from manimcast.assets.store import CLAIM_SECONDS
from manimcast.assets.table import asset_drops
from manimcast.database import Database
from manimcast.settings import Settings
from manimcast.storage import LocalStorage, StorageError

pytestmark = pytest.mark.anyio


@dataclass
class Here:
    """The assets of a service, and where their bytes lie."""

    assets: Assets
    database: Database
    folder: Path

    async def take(self, content: bytes = b"a,b\n") -> Asset:
        with self.assets.incoming() as file:
            file.write(content)
            file.finish()
            return (await self.assets.take("t", "a.csv", file))[0]

    def stored(self) -> list[bytes]:
        return [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]

    async def pass_over(self, seconds: float) -> None:
        async with self.database.write() as connection:
            await connection.execute(update(asset_drops).values(noted=asset_drops.c.noted - seconds))

    async def noted(self) -> int:
        async with self.database.read() as connection:
            count: int = (await connection.execute(select(func.count()).select_from(asset_drops))).scalar_one()
        return count


@pytest.fixture
async def here(anyio_backend: str, settings: Callable[..., Settings]) -> AsyncIterator[Here]:
    chosen = settings()
    database, storage = Database(chosen), LocalStorage(chosen)
    await database.open()
    await storage.start()
    yield Here(Assets(chosen, database, storage), database, chosen.data_dir / "assets")
    await database.close()


class Killed(BaseException):
    """The end of the process, as far as the code that runs can tell."""


async def killed(*_: object) -> None:
    raise Killed


async def nothing(*_: object) -> None:
    """Do not even clear up."""


async def test_bytes_without_a_row_are_removed_when_nobody_can_be_at_them_any_more(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await here.take(b"kept,\n")
    with monkeypatch.context() as patched:
        patched.setattr(here.assets._store, "add", killed)
        patched.setattr(here.assets, "_drop", nothing)
        with pytest.raises(Killed):
            await here.take(b"left,\n")
    await here.assets.sweep(10)
    assert sorted(here.stored()) == [b"kept,\n", b"left,\n"], "it may be under way"
    await here.pass_over(2 * CLAIM_SECONDS)
    await here.assets.sweep(10)
    assert (here.stored(), await here.noted()) == ([b"kept,\n"], 0)
    assert await here.assets.get("t", kept.id) == kept


async def test_bytes_of_a_deleted_asset_are_removed_later_when_they_cannot_be_now(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: str) -> None:
        raise StorageError("no answer")

    asset = await here.take()
    with monkeypatch.context() as patched:
        patched.setattr(here.assets._storage, "drop", fails)
        assert await here.assets.delete("t", asset.id)
    assert here.stored() == [b"a,b\n"]
    await here.pass_over(2 * CLAIM_SECONDS)
    await here.assets.sweep(10)
    assert (here.stored(), await here.noted()) == ([], 0)


async def test_what_may_have_been_removed_meanwhile_becomes_no_asset(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = here.assets._storage.keep

    async def slowly(key: str, path: Path) -> None:
        await keep(key, path)
        await here.pass_over(CLAIM_SECONDS)

    monkeypatch.setattr(here.assets._storage, "keep", slowly)
    with pytest.raises(StorageError, match="took too long"):
        await here.take()
    assert (here.stored(), await here.noted()) == ([], 0)
    assert await here.assets.newest("t", limit=1) == []


async def test_nothing_stays_noted_of_what_goes_well(here: Here) -> None:
    asset = await here.take()
    assert await here.take() == asset
    assert (len(here.stored()), await here.noted()) == (1, 0)
    await here.assets.delete("t", asset.id)
    assert (here.stored(), await here.noted()) == ([], 0)
