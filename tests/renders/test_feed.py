"""Listeners: many, slow, late and on other services; each hears all of it, once, in order."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from manimcast.renders import RenderService, RenderStatus, RenderStore
from manimcast.renders import feed as feeds
from manimcast.renders.events import Event, EventType, Said
from manimcast.renders.feed import Feed, Topic
from manimcast.renders.outcomes import CANCELED, LOST
from manimcast.renders.rows import NewRender, State
from tests.patience import PATIENCE, eventually

from .conftest import Serve
from .listening import heard, reaches, short
from .scripted import GREETING, ScriptedExecutor, a_spec, at, played

pytestmark = pytest.mark.anyio

LISTENERS = 200


def lines(*texts: str) -> list[Said]:
    return [Said(EventType.log, {"level": "info", "text": text}) for text in texts]


async def begin(store: RenderStore) -> None:
    assert await store.admission.insert(NewRender("rnd_1", "t", a_spec()), room=100)
    assert await store.claims.take("rnd_1", owner="me", executor="local")


def event(number: int) -> Event:
    return Event(number, EventType.log, 1, None, {})  # type: ignore[arg-type]


def test_a_topic_knows_the_last_events_and_where_they_begin() -> None:
    topic = Topic()
    assert topic.after(0) is None
    topic.update(State(RenderStatus.running, 1, 5, is_live=True), [])
    assert (topic.last, topic.after(5), topic.after(4)) == (5, [], None)
    topic.update(State(RenderStatus.running, 1, 7, is_live=True), [event(6), event(7)])
    assert topic.after(5) == [event(6), event(7)]
    assert topic.after(6) == [event(7)]
    many = [event(number) for number in range(8, 9 + feeds.RECENT)]
    topic.update(State(RenderStatus.running, 1, many[-1].number, is_live=True), many)
    assert topic.after(7) is None, "that is in the table only"
    assert topic.after(8) == many[1:]
    assert topic.last == many[-1].number


async def test_a_slow_listener_holds_up_nobody_and_catches_up_from_the_table(
    store: RenderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RECENT", 5)
    monkeypatch.setattr(feeds, "PAGE", 3)
    feed = Feed(store.events)
    await begin(store)
    async with aclosing(feed.listen("rnd_1")) as slow:
        got = [one.number for one in await anext(slow)]
        for number in range(20):
            assert await store.events.report("rnd_1", 1, lines(f"{number}"))
            topics = feed.topics()
            await feed.update(topics, await store.states(topics))
            assert sum(len(topic._recent) for topic in topics.values()) <= 5
        assert await store.endings.finish("rnd_1", 1, LOST)
        await feed.update(topics, await store.states(topics))
        async for batch in slow:
            assert len(batch) <= 5
            got += [one.number for one in batch]
    assert got == list(range(1, 24))
    assert feed.topics() == {}


async def test_whoever_listens_to_a_render_that_is_deleted_is_let_go(store: RenderStore) -> None:
    feed = Feed(store.events)
    await begin(store)
    assert await store.endings.end("rnd_1", status=RenderStatus.running, outcome=CANCELED)
    await store.leases.release("rnd_1", 1)
    with feed.topic("rnd_1") as topic:
        listening = asyncio.create_task(anext(feed.listen("rnd_1", 3), None))
        assert await store.delete("rnd_1")
        await feed.update({"rnd_1": topic}, await store.states(["rnd_1"]))
        assert await listening is None


async def test_hundreds_of_idle_listeners_hear_the_end(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve() as service:
        running = await service.submit(a_spec(), tenant="t")
        performance = await executor.begun.get()
        waiting = [await service.submit(a_spec(), tenant="t") for _ in range(8)]
        names = [running.id, *(render.id for render in waiting)]
        listening = [asyncio.create_task(heard(service, names[i % len(names)])) for i in range(LISTENERS)]
        await eventually(
            lambda: sum(topic.users for topic in service._feed.topics().values()) == LISTENERS, "all listening"
        )
        performance.say(*GREETING, at(100), played(0))
        performance.succeed()
        for render in waiting:
            await service.cancel(render.id, tenant="t")
        for number, listener in enumerate(listening):
            ends = await listener
            assert [one.number for one in ends] == list(range(1, len(ends) + 1))
            assert ends[-1].type is (EventType.canceled if number % len(names) else EventType.succeeded)
        assert service._feed.topics() == {}


async def test_silence_is_told_too(service: RenderService, executor: ScriptedExecutor) -> None:
    render = await service.submit(a_spec(), tenant="t")
    performance = await executor.begun.get()
    _, listening = await service.listen(render.id, tenant="t", idle=0.01)
    async with aclosing(listening) as batches:
        async for batch in batches:
            if not batch:
                break
        performance.succeed()
        rest = [one async for batch in batches for one in batch]
    assert rest[-1].type is EventType.succeeded


async def test_progress_is_thinned_and_its_last_is_told(service: RenderService, executor: ScriptedExecutor) -> None:
    render = await service.submit(a_spec(), tenant="t")
    performance = await executor.begun.get()
    performance.say(*GREETING, *(at(percent) for percent in range(1, 100)))
    events = service.events(render.id, tenant="t")
    seen = await reaches(events, ("progress", 0, 99))
    assert len(seen) < 20
    performance.succeed()
    assert await reaches(events, ("succeeded",)) == [("progress", 0, 100), ("succeeded",)]


async def test_at_the_end_of_the_service_listeners_hear_what_there_is_and_go(
    serve: Serve, executor: ScriptedExecutor
) -> None:
    async with serve() as service:
        render = await service.submit(a_spec(), tenant="t")
        performance = await executor.begun.get()
        listening = asyncio.create_task(heard(service, render.id))
        performance.say(*GREETING, at(40))
        await reaches(service.events(render.id, tenant="t"), ("progress", 0, 40))
        await service.stop(grace=0)
        first = await asyncio.wait_for(listening, PATIENCE)
    assert short(first[-1]) == ("queued",), "it waits for the next start"
    async with serve() as service:
        performance = await executor.begun.get()
        listening = asyncio.create_task(heard(service, render.id, after=first[-1].number))
        performance.succeed()
        rest = await listening
        assert [short(one) for one in rest] == [("running", "scripted", 2), ("progress", 0, 100), ("succeeded",)]
        assert await heard(service, render.id) == first + rest
