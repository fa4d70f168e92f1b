"""Events over HTTP: their form, where they begin, what is refused, and clients that leave or do not read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from manimcast.api.routes import events as routes
from manimcast.renders import feed
from manimcast.wire import Logged
from tests.patience import PATIENCE, eventually
from tests.renders.scripted import GREETING, Performance, at, played, playing
from tests.sse import Parser, Sent, aparse, parse

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

BODY = {"code": "class A(Scene): pass"}


async def created(api: Api, **headers: str) -> str:
    answer = await api.client.post("/v1/renders", json=BODY, headers=headers)
    assert answer.status_code == 202
    return str(answer.json()["id"])


async def all_of(api: Api, render_id: str, **headers: str) -> list[Sent]:
    answer = await api.client.get(f"/v1/renders/{render_id}/events", headers=headers)
    assert answer.status_code == 200
    return list(parse(answer.text.splitlines()))


@contextlib.asynccontextmanager
async def listening(api: Api, render_id: str, parser: Parser | None = None) -> AsyncIterator[AsyncIterator[Sent]]:
    async with api.client.stream("GET", f"/v1/renders/{render_id}/events") as answer:
        assert answer.status_code == 200
        yield aparse(answer.aiter_lines(), parser)


def users(api: Api) -> int:
    return sum(topic.users for topic in api.context.renders._feed.topics().values())


async def test_every_event_arrives_before_the_next_thing_happens(wire: Api):
    render_id = await created(wire)
    performance = await wire.begun()
    parser = Parser()
    async with listening(wire, render_id, parser) as events:
        seen = [await anext(events) for _ in range(2)]
        # Each is said only after the one before was read: were they held back, this would wait forever.
        for message in (at(40), played(0), Logged(level="warning", text="two\nlines \x1b[1m\u2028")):
            performance.say(*(GREETING if message == at(40) else ()), message)
            seen.append(await anext(events))
        performance.succeed()
        seen += [event async for event in events]
    kinds = ["queued", "running", "progress", "segment", "log", "progress", "succeeded"]
    assert [(one.id, one.event) for one in seen] == list(enumerate(kinds, 1))
    assert parser.retry == routes.RETRY
    render = (await wire.client.get(f"/v1/renders/{render_id}")).json()
    data = [one.data for one in seen]
    assert all(one["time"].endswith("Z") for one in data)
    assert [one["attempt"] for one in data] == [0, 1, 1, 1, 1, 1, 1]
    assert data[1]["executor"] == "scripted"
    assert {name: data[2][name] for name in ("animation_index", "animation_percent", "percent")} == {
        "animation_index": 0,
        "animation_percent": 40,
        "percent": 20.0,
    }
    assert {name: data[3][name] for name in ("animation_index", "kind", "frames", "duration")} == {
        "animation_index": 0,
        "kind": "Wait",
        "frames": 30,
        "duration": 1.0,
    }
    assert (data[4]["level"], data[4]["text"]) == ("warning", "two\nlines \u2028")
    assert without_links(data[6]["render"]) == without_links(render)
    assert (await wire.client.get(data[6]["render"]["result"]["video_url"])).status_code == 200


def without_links(render: dict[str, Any]) -> dict[str, Any]:
    """Return a render without what is made anew for everybody who looks."""
    return render | {"result": {k: v for k, v in render["result"].items() if k not in {"video_url", "expires_at"}}}


async def test_an_ended_render_replays_its_events_from_where_the_client_was(api: Api):
    render_id = await created(api)
    performance = await api.begun()
    performance.say(*GREETING)
    performance.fail()
    await api.context.renders.wait(render_id, tenant="anonymous")
    whole = await all_of(api, render_id)
    assert [one.event for one in whole] == ["queued", "running", "progress", "failed"]
    assert whole[-1].data["render"]["error"]["message"] == "the scene is at fault"
    for position in range(4):
        assert await all_of(api, render_id, **{"last-event-id": str(position)}) == whole[position:]
        url = f"/v1/renders/{render_id}/events?after={position}"
        assert list(parse((await api.client.get(url)).text.splitlines())) == whole[position:]
        both = await api.client.get(url, headers={"last-event-id": "3"})
        assert list(parse(both.text.splitlines())) == whole[3:], "the header goes before"
    nothing = await api.client.get(f"/v1/renders/{render_id}/events", headers={"last-event-id": "4"})
    assert (nothing.status_code, nothing.content) == (204, b"")


async def test_the_head_says_that_nothing_may_be_kept_or_collected(api: Api):
    render_id = await created(api)
    (await api.begun()).succeed()
    answer = await api.client.get(f"/v1/renders/{render_id}/events")
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "", "0x1", "1 2", "٣", "9" * 40, "99"])
async def test_a_last_event_id_that_is_none_is_refused_by_name(api: Api, value: str):
    render_id = await created(api)
    await api.begun()
    answer = await api.client.get(f"/v1/renders/{render_id}/events", headers=[(b"last-event-id", value.encode())])
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "urn:manimcast:problem:invalid-header")
    assert [error["field"] for error in problem["errors"]] == ["Last-Event-ID"]
    assert "Last-Event-ID" in problem["detail"]


@pytest.mark.parametrize("value", ["x", "-1", "99", "9" * 40])
async def test_a_position_that_is_none_is_refused_by_name(api: Api, value: str):
    render_id = await created(api)
    await api.begun()
    answer = await api.client.get(f"/v1/renders/{render_id}/events?after={value}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["after"]


async def test_only_its_tenant_hears_of_a_render(start: Start):
    async with start(api_keys="one:aaaaaaaaaaaaaaaa,two:bbbbbbbbbbbbbbbb") as api:
        mine, other = {"x-api-key": "aaaaaaaaaaaaaaaa"}, {"x-api-key": "bbbbbbbbbbbbbbbb"}
        render_id = await created(api, **mine)
        (await api.begun()).succeed()
        assert (await all_of(api, render_id, **mine))[-1].event == "succeeded"
        assert (await api.client.get(f"/v1/renders/{render_id}/events")).status_code == 401
        for url in (f"/v1/renders/{render_id}/events", "/v1/renders/rnd_none/events"):
            answer = await api.client.get(url, headers=other)
            assert (answer.status_code, answer.json()["type"]) == (404, "urn:manimcast:problem:render-not-found")


async def test_silence_is_filled_with_comments_in_the_queue_too(wire: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(routes, "HEARTBEAT", 0.01)
    await created(wire)
    first = await wire.begun()
    waiting = await created(wire)
    parser = Parser()
    async with listening(wire, waiting, parser) as events:
        assert (await anext(events)).event == "queued"
        rest = asyncio.ensure_future(_events(events))
        await eventually(lambda: parser.comments >= 3, "comments")
        first.succeed()
        (await wire.begun()).succeed()
        assert [one.event for one in await rest] == ["running", "progress", "succeeded"]


async def _events(events: AsyncIterator[Sent]) -> list[Sent]:
    return [event async for event in events]


async def test_a_client_that_leaves_is_forgotten_and_its_render_goes_on(wire: Api):
    render_id = await created(wire)
    performance = await wire.begun()
    async with listening(wire, render_id) as events:
        assert (await anext(events)).event == "queued"
        assert users(wire) == 1
    await eventually(lambda: not users(wire), "nobody listens")
    performance.succeed()
    assert (await all_of(wire, render_id))[-1].event == "succeeded"


async def say_much(performance: Performance, api: Api, render_id: str) -> int:
    """Have more said than any buffer between here and a client holds; return how many lines."""
    lines = 190
    performance.say(*GREETING, *(Logged(level="info", text=f"{number} " + "x" * 500) for number in range(lines)))
    for index in range(1, 1900):
        performance.say(playing(index), played(index))
    performance.succeed()
    await api.context.renders.wait(render_id, tenant="anonymous")
    return lines


async def test_a_client_that_does_not_read_holds_up_nobody_and_misses_nothing(
    wire: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(feed, "RECENT", 10)
    render_id = await created(wire)
    performance = await wire.begun()
    url = httpx.URL(str(wire.client.base_url))
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=1024)
    writer.write(
        f"GET /v1/renders/{render_id}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    await eventually(lambda: users(wire) == 1, "it listens")
    lines = await say_much(performance, wire, render_id)
    quick = await all_of(wire, render_id)
    slow = list(parse(unchunked(await asyncio.wait_for(reader.read(-1), PATIENCE)).splitlines()))
    writer.close()
    assert [(one.id, one.event) for one in slow] == [(one.id, one.event) for one in quick]
    assert sum(one.event == "log" for one in slow) == lines
    assert sum(one.event == "segment" for one in slow) == 1899


def unchunked(answer: bytes) -> str:
    """Return the body of an answer that came in chunks."""
    rest, body = answer.partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return body.decode()


async def test_listeners_are_let_go_when_the_service_stops(wire: Api):
    render_id = await created(wire)
    await wire.begun()
    async with listening(wire, render_id) as events:
        assert (await anext(events)).event == "queued"
        await wire.context.stop(grace=0)
        rest = await _events(events)
    assert [one.event for one in rest] == ["running", "queued"], "it waits for the next start"


async def test_a_render_that_is_deleted_ends_the_answer(wire: Api):
    await created(wire)
    await wire.begun()
    waiting = await created(wire)
    async with listening(wire, waiting) as events:
        assert (await anext(events)).event == "queued"
        assert (await wire.client.delete(f"/v1/renders/{waiting}")).status_code == 204
        # Whether it still hears of the end depends on the moment; that nothing else comes does not.
        assert {one.event for one in await _events(events)} <= {"canceled"}
    assert (await wire.client.get(f"/v1/renders/{waiting}/events")).status_code == 404


async def test_what_is_sent_is_what_is_described(api: Api):
    schemas = (await api.client.get("/openapi.json")).json()["components"]["schemas"]
    render_id = await created(api)
    performance = await api.begun()
    performance.say(*GREETING, played(0), Logged(level="info", text="hm"))
    performance.succeed()
    described = {"queued": "StateEvent", "running": "StateEvent", "progress": "ProgressEvent"} | {
        "segment": "SegmentEvent",
        "log": "LogEvent",
        "succeeded": "EndEvent",
    }
    seen = await all_of(api, render_id)
    assert {one.event for one in seen} == set(described)
    for one in seen:
        schema = schemas[described[one.event]]
        assert one.data.keys() <= schema["properties"].keys(), one
        assert one.data.keys() >= set(schema["required"]), one
