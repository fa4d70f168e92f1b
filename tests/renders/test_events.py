"""The table of events: numbered without a gap, written with what they tell of, closed to attempts of the past."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from manimcast.renders import RenderProgress, RenderStatus, RenderStore
from manimcast.renders.events import _CLEARING, PROGRESS_KEPT, Event, EventType, Said
from manimcast.renders.outcomes import CANCELED, LOST
from manimcast.renders.rows import NewRender
from manimcast.renders.table import events

from .listening import short
from .scripted import a_spec

pytestmark = pytest.mark.anyio


def progress(percent: int) -> RenderProgress:
    return RenderProgress(animation_index=0, animation_percent=percent, frames_done=percent)


def line(text: str) -> Said:
    return Said(EventType.log, {"level": "info", "text": text})


async def begin(store: RenderStore, render_id: str = "rnd_1", owner: str = "me") -> None:
    assert await store.admission.insert(NewRender(render_id, "t", a_spec()), room=100)
    assert await store.claims.take(render_id, owner=owner, executor="local")


async def all_of(store: RenderStore, render_id: str = "rnd_1") -> list[Event]:
    return await store.events.after(render_id, 0, limit=10_000)


async def count(store: RenderStore) -> int:
    async with store.database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(events))).scalar_one()


async def test_a_life_in_events(store: RenderStore) -> None:
    told: list[str] = []
    store.events.listeners.append(told.append)
    await begin(store)
    assert await store.events.report("rnd_1", 1, [line("a"), line("b")], progress(30))
    assert await store.claims.put_back("rnd_1", 1)
    assert await store.claims.take("rnd_1", owner="me", executor="modal")
    assert await store.endings.finish("rnd_1", 2, LOST, [line("c")])
    found = await all_of(store)
    assert [(event.number, event.attempt, short(event)) for event in found] == [
        (1, 0, ("queued",)),
        (2, 1, ("running", "local", 1)),
        (3, 1, ("log", "a")),
        (4, 1, ("log", "b")),
        (5, 1, ("progress", 0, 30)),
        (6, 1, ("queued",)),
        (7, 2, ("running", "modal", 2)),
        (8, 2, ("log", "c")),
        (9, 2, ("failed",)),
    ]
    assert [event.time for event in found] == sorted(event.time for event in found)
    assert await store.events.after("rnd_1", 3, limit=2) == found[3:5]
    assert set(told) == {"rnd_1"}
    state = await store.state("rnd_1", tenant="t")
    assert state is not None
    assert (state.status, state.attempt, state.last_event) == (RenderStatus.failed, 2, 9)
    assert await store.state("rnd_1", tenant="other") is None


async def test_what_an_attempt_of_the_past_says_is_refused(store: RenderStore) -> None:
    await begin(store, owner="the dead")
    assert await store.leases.recover(LOST, dead=["the dead"]) == [("rnd_1", 1)]
    before = await all_of(store)
    assert not await store.events.report("rnd_1", 1, [line("late")], progress(99)), "nobody runs it"
    assert await store.claims.take("rnd_1", owner="the living", executor="local")
    assert not await store.events.report("rnd_1", 1, [line("late")], progress(99))
    assert not await store.endings.finish("rnd_1", 1, LOST, [line("late")])
    assert await store.endings.end("rnd_1", status=RenderStatus.running, outcome=CANCELED)
    assert not await store.events.report("rnd_1", 2, [line("late")])
    assert not await store.endings.finish("rnd_1", 2, LOST, [line("late")])
    after = await all_of(store)
    assert [short(event) for event in after[len(before) :]] == [("running", "local", 2), ("canceled",)]
    render = await store.get("rnd_1")
    assert render is not None
    assert render.progress is None


async def test_what_is_undone_has_no_event_and_nobody_is_told(store: RenderStore) -> None:
    await begin(store)
    told: list[str] = []
    store.events.listeners.append(told.append)
    before = await all_of(store)

    async def refuse(*_: object) -> None:
        raise RuntimeError("no")

    store.witnesses.append(refuse)
    with pytest.raises(RuntimeError, match="no"):
        await store.endings.finish("rnd_1", 1, LOST, [line("a")])
    assert await all_of(store) == before
    assert told == []


async def test_many_writers_at_once_leave_no_gap_and_lose_nothing(store: RenderStore) -> None:
    await begin(store)
    seen: list[int] = []

    async def write(name: int) -> None:
        for number in range(5):
            assert await store.events.report("rnd_1", 1, [line(f"{name}.{number}"), line(f"{name}.{number}'")])

    async def read() -> None:
        while len(seen) < 62:
            seen.extend(event.number for event in await store.events.after("rnd_1", seen[-1] if seen else 0, limit=7))

    await asyncio.gather(read(), *(write(name) for name in range(6)))
    assert seen == list(range(1, 63)), "who reads what is new has missed nothing before it"
    texts = [event.data["text"] for event in await all_of(store) if event.type is EventType.log]
    for name in range(6):
        mine = [text for text in texts if text.startswith(f"{name}.")]
        assert mine == [f"{name}.{number}{mark}" for number in range(5) for mark in ("", "'")]


async def test_old_progress_is_forgotten_and_nothing_else(store: RenderStore) -> None:
    await begin(store)
    for number in range(300):
        said = [line(str(number))] if number % 100 == 0 else []
        assert await store.events.report("rnd_1", 1, said, progress(number % 100))
    found = await all_of(store)
    last = found[-1].number
    assert [event.data["text"] for event in found if event.type is EventType.log] == ["0", "100", "200"]
    kept = [event.number for event in found if event.type is EventType.progress]
    assert set(range(last - PROGRESS_KEPT + 1, last + 1)) - {event.number for event in found} == set()
    assert len(kept) <= PROGRESS_KEPT + _CLEARING


async def test_events_go_with_their_render(store: RenderStore) -> None:
    await begin(store)
    await begin(store, "rnd_2")
    assert await store.endings.finish("rnd_1", 1, LOST, [line("a")])
    assert await store.delete("rnd_1")
    assert await all_of(store) == []
    assert await count(store) == len(await all_of(store, "rnd_2")) == 2
