"""What needs a network to be seen: lines that come as they happen, and clients that leave."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from manimcast.renders import RenderStatus
from tests.patience import PATIENCE
from tests.renders.scripted import GREETING, at, playing

from .conftest import Api

pytestmark = pytest.mark.anyio

PATH = "/v1/video/rendering"
BODY = {"code": "class A(Scene): pass"}


async def status_of(api: Api, render_id: str) -> RenderStatus:
    render = await api.context.renders.get(render_id, tenant="anonymous")
    assert render is not None
    return render.status


async def test_every_line_arrives_before_the_next_thing_happens(wire: Api):
    async with wire.client.stream("POST", PATH, json={**BODY, "stream": True}) as answer:
        assert answer.status_code == 200  # the head is here, and nothing has been said yet
        lines = answer.aiter_lines()
        performance = await wire.begun()
        assert answer.headers["location"] == f"/v1/renders/{performance.render_id}"
        heard = []
        # Each is said only after the line before it was read: were lines held back, this would wait forever.
        for message, count in ((GREETING, 1), ((at(40),), 1), ((playing(1), at(0, 1)), 2), ((at(70, 1),), 1)):
            performance.say(*message)
            heard += [json.loads(await anext(lines)) for _ in range(count)]
        performance.succeed()
        heard += [json.loads(line) async for line in lines]
    assert heard[:-1] == [
        {"animationIndex": index, "percentage": percent}
        for index, percent in ((0, 0), (0, 40), (0, 100), (1, 0), (1, 70), (1, 100))
    ]
    assert heard[-1]["video_url"].startswith(str(wire.client.base_url))
    assert heard[-1]["processingTime"] >= 0


async def test_a_failure_is_the_last_line(wire: Api):
    async with wire.client.stream("POST", PATH, json={**BODY, "stream": True}) as answer:
        performance = await wire.begun()
        performance.say(*GREETING)
        performance.fail()
        lines = [json.loads(line) async for line in answer.aiter_lines()]
    assert answer.status_code == 200
    assert lines[0] == {"animationIndex": 0, "percentage": 0}
    assert (lines[1]["error"], lines[1]["details"]) == ("the scene is at fault", ["the scene is at fault"])
    assert lines[1]["scene_error"]["code"] == "exception"
    assert len(lines) == 2


async def test_a_streaming_client_that_leaves_cancels(wire: Api):
    async with wire.client.stream("POST", PATH, json={**BODY, "stream": True}) as answer:
        performance = await wire.begun()
        performance.say(*GREETING)
        await anext(answer.aiter_lines())
    await performance.over.wait()
    assert await status_of(wire, performance.render_id) is RenderStatus.canceled


async def test_a_blocking_client_that_leaves_cancels(wire: Api):
    request = asyncio.ensure_future(wire.client.post(PATH, json=BODY))
    performance = await wire.begun()
    request.cancel()
    await performance.over.wait()
    assert await status_of(wire, performance.render_id) is RenderStatus.canceled


async def test_a_client_that_leaves_while_it_waits_in_the_queue_cancels(wire: Api):
    first = asyncio.ensure_future(wire.client.post(PATH, json=BODY))
    performance = await wire.begun()
    async with wire.client.stream("POST", PATH, json={**BODY, "stream": True}) as answer:
        queued = answer.headers["location"].rpartition("/")[2]
    assert (
        await wire.context.renders.wait(queued, tenant="anonymous", timeout=PATIENCE)
    ).status is RenderStatus.canceled
    performance.succeed()
    assert (await first).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"prefer": "wait=60"}])
async def test_an_asynchronous_client_that_leaves_does_not_cancel(wire: Api, headers):
    request = asyncio.ensure_future(wire.client.post("/v1/renders", json=BODY, headers=headers))
    performance = await wire.begun()
    request.cancel()
    await asyncio.wait({request})
    await wire.client.get("/livez")  # answered after the server has seen the other connection close
    performance.succeed()
    done = await wire.context.renders.wait(performance.render_id, tenant="anonymous", timeout=PATIENCE)
    assert done.status is RenderStatus.succeeded


async def test_a_stream_ends_with_a_line_when_the_service_stops(wire: Api):
    async with wire.client.stream("POST", PATH, json={**BODY, "stream": True}) as answer:
        performance = await wire.begun()
        await wire.context.stop(grace=0)
        lines = [json.loads(line) async for line in answer.aiter_lines()]
    assert "stays queued" in lines[-1]["error"]
    assert lines[-1]["render_id"] == performance.render_id


async def chunks(total: int):
    for _ in range(total // 1024):
        yield b" " * 1024


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [8 * 1024, 40 * 1024])
async def test_a_body_that_is_too_large_is_refused_and_the_client_reads_why(wire: Api, chunked: bool, size: int):
    content = chunks(size) if chunked else b" " * size
    answer = await wire.client.post(PATH, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["error"] == "the body must not be longer than 4096 bytes"


async def test_an_endless_body_is_given_up(wire: Api):
    async def endless():
        while True:
            yield b" " * 65536

    with pytest.raises(httpx.TransportError):  # noqa: PT012  the answer may come, or the connection break
        # Whether the client still reads the answer depends on the moment; that it is cut off does not.
        answer = await wire.client.post(PATH, content=endless(), headers={"content-type": "application/json"})
        assert answer.status_code == 413
        raise httpx.ReadError("answered")
    assert (await wire.client.get("/livez")).status_code == 200
