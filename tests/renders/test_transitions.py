"""Witnesses: told of every change of a render's state and of nothing else, within the transaction that makes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.executors.policy import Fault
from manimcast.renders import KeyTakenError, RenderProgress, RenderStatus, RenderStore, RequestKey
from manimcast.renders.outcomes import CANCELED, LOST
from manimcast.renders.rows import NewRender
from manimcast.renders.table import renders
from manimcast.renders.transitions import Transition
from manimcast.settings import Settings

from .scripted import a_spec

pytestmark = pytest.mark.anyio

QUEUED, RUNNING = RenderStatus.queued, RenderStatus.running


class Ledger:
    """A witness that notes what it is told, beside what the table says in the same transaction."""

    def __init__(self) -> None:
        self.fails = False
        self._told: list[tuple[str, RenderStatus | None, int]] = []

    async def witness(self, connection: AsyncConnection, transition: Transition) -> None:
        row = (await connection.execute(select(renders).where(renders.c.id == transition.render_id))).first()
        if transition.status is None:
            assert row is None
        else:
            assert row is not None
            assert (row.status, row.attempt) == (transition.status.value, transition.attempt)
        assert transition.tenant == "t"
        if self.fails:
            raise RuntimeError("the witness fell over")
        self._told.append((transition.render_id, transition.status, transition.attempt))

    def take(self) -> list[tuple[str, RenderStatus | None, int]]:
        """Return what was told since the last call."""
        told, self._told = self._told, []
        return told


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def store(anyio_backend: str, settings: Callable[..., Settings], ledger: Ledger) -> AsyncIterator[RenderStore]:
    store = RenderStore(settings())
    store.witnesses.append(ledger.witness)
    await store.open()
    yield store
    await store.close()


def new(render_id: str = "rnd_1", key: RequestKey | None = None) -> NewRender:
    return NewRender(render_id, "t", a_spec(), key=key)


async def begin(store: RenderStore, render_id: str = "rnd_1", owner: str = "me") -> None:
    assert await store.admission.insert(new(render_id), room=9)
    assert await store.claims.take(render_id, owner=owner, executor="local")


async def test_every_state_of_a_life_is_witnessed(store: RenderStore, ledger: Ledger) -> None:
    await begin(store)
    assert ledger.take() == [("rnd_1", QUEUED, 0), ("rnd_1", RUNNING, 1)]
    assert await store.claims.put_back("rnd_1", 1, faults={"local": Fault(1, "no disk")})
    assert ledger.take() == [("rnd_1", QUEUED, 1)]
    assert await store.claims.take("rnd_1", owner="me", executor="local")
    assert await store.endings.finish("rnd_1", 2, LOST)
    assert ledger.take() == [("rnd_1", RUNNING, 2), ("rnd_1", RenderStatus.failed, 2)]
    assert await store.delete("rnd_1")
    assert ledger.take() == [("rnd_1", None, 2)]


async def test_what_is_entered_running_and_what_is_ended_by_others(store: RenderStore, ledger: Ledger) -> None:
    await store.admission.insert_running(new(), owner="me", executor="local")
    assert await store.endings.end("rnd_1", status=RUNNING, outcome=CANCELED)
    assert ledger.take() == [("rnd_1", RUNNING, 1), ("rnd_1", RenderStatus.canceled, 1)]
    assert await store.admission.insert(new("rnd_2"), room=9)
    assert await store.endings.end("rnd_2", status=QUEUED, outcome=CANCELED)
    assert ledger.take() == [("rnd_2", QUEUED, 0), ("rnd_2", RenderStatus.canceled, 0)]


async def test_what_is_taken_over_and_what_is_given_up(store: RenderStore, ledger: Ledger) -> None:
    await begin(store, "rnd_2", owner="the living")
    for attempt in (1, 2):
        if attempt == 1:
            await begin(store, owner="the dead")
        else:
            assert await store.claims.take("rnd_1", owner="the dead", executor="local")
        ledger.take()
        assert await store.leases.recover(LOST, dead=["the dead"]) == [("rnd_1", attempt)]
        assert ledger.take() == [("rnd_1", QUEUED, attempt)]
    assert await store.claims.take("rnd_1", owner="the dead", executor="local")
    ledger.take()
    assert await store.leases.recover(LOST, dead=["the dead"]) == [("rnd_1", 3)]
    assert ledger.take() == [("rnd_1", RenderStatus.failed, 3)]


async def test_what_changes_nothing_is_not_witnessed(store: RenderStore, ledger: Ledger) -> None:
    key = RequestKey("k", "d")
    assert await store.admission.insert(new(key=key), room=1)
    assert await store.claims.take("rnd_1", owner="me", executor="local")
    ledger.take()
    assert not await store.admission.insert(new("rnd_2"), room=1)
    with pytest.raises(KeyTakenError):
        await store.admission.insert(new("rnd_2", key), room=9)
    with pytest.raises(KeyTakenError):
        await store.admission.insert_running(new("rnd_2", key), owner="me", executor="local")
    assert await store.claims.take("rnd_1", owner="you", executor="local") is None
    progress = RenderProgress(animation_index=0, animation_percent=1, frames_done=1)
    assert await store.events.report("rnd_1", 1, [], progress)
    await store.leases.renew("me", ["rnd_1"])
    assert not await store.endings.finish("rnd_1", 7, LOST)
    assert not await store.claims.put_back("rnd_1", 7)
    assert not await store.endings.end("rnd_1", status=QUEUED, outcome=CANCELED)
    assert not await store.delete("rnd_1")
    assert await store.leases.recover(LOST, dead=["the dead"]) == []
    assert ledger.take() == []


async def test_a_witness_that_raises_undoes_the_change(store: RenderStore, ledger: Ledger) -> None:
    await begin(store)
    ledger.fails = True
    with pytest.raises(RuntimeError, match="fell over"):
        await store.endings.finish("rnd_1", 1, LOST)
    with pytest.raises(RuntimeError, match="fell over"):
        await store.leases.recover(LOST, dead=["me"])
    with pytest.raises(RuntimeError, match="fell over"):
        await store.admission.insert(new("rnd_2"), room=9)
    assert await store.claims.holds("rnd_1", 1)
    assert await store.get("rnd_2") is None
