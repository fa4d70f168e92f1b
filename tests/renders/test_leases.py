"""A lease that has run out is lost when it has been left alone as well, whatever the database's clock was set to."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from manimcast.database import Now
from manimcast.renders import RenderStatus, RenderStore
from manimcast.renders.leases import BEATS, FAR
from manimcast.renders.outcomes import LOST
from manimcast.renders.rows import NewRender
from manimcast.renders.table import renders

from .scripted import a_spec

pytestmark = pytest.mark.anyio


class Held:
    """A render that somebody has, and the clock of whoever looks at its lease."""

    def __init__(self, store: RenderStore) -> None:
        self.store = store
        self.seconds = store.leases.seconds
        self.now = 0.0
        store.leases.suspects.clock = lambda: self.now

    async def ends_in(self, seconds: float) -> None:
        """Have the lease end so, as it looks after the database's clock was set."""
        async with self.store.database.write() as connection:
            await connection.execute(update(renders).values(lease_until=Now() + seconds))

    async def looks(self, *, later: float = 0) -> list[tuple[str, int]]:
        """Return what is recovered by a look so many seconds after the last one."""
        self.now += later
        return await self.store.leases.recover(LOST)

    async def is_live(self) -> bool:
        return (await self.store.states(["rnd_1"]))["rnd_1"].is_live


@pytest.fixture
async def held(store: RenderStore) -> Held:
    assert await store.admission.insert(NewRender("rnd_1", "t", a_spec()), room=9)
    assert await store.claims.take("rnd_1", owner="somebody", executor="local") is not None
    return Held(store)


async def test_a_clock_that_is_set_forward_takes_nothing_from_who_lives(held: Held) -> None:
    beat = held.seconds / BEATS
    for _ in range(10):
        await held.ends_in(-18_000)
        assert await held.looks(later=beat) == []
        await held.store.leases.renew("somebody", ["rnd_1"])
        assert await held.looks(later=beat) == []
    assert (await held.store.states(["rnd_1"]))["rnd_1"].status is RenderStatus.running


async def test_what_has_run_out_and_is_left_alone_is_lost(held: Held) -> None:
    await held.ends_in(-1)
    assert await held.looks() == []
    assert await held.looks(later=held.seconds / BEATS) == []
    assert await held.looks(later=held.seconds / BEATS) == [("rnd_1", 1)]


async def test_a_clock_that_is_set_back_does_not_make_the_dead_live(held: Held) -> None:
    assert await held.is_live()
    await held.ends_in(18_000)
    assert not await held.is_live()
    assert await held.looks() == []
    assert await held.looks(later=held.seconds) == []
    assert await held.looks(later=(FAR - 1) * held.seconds) == [("rnd_1", 1)]
