"""The look at what other services do, at moments when it could take what it sees for what it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from manimcast.renders import Render, RenderService, RenderStatus
from manimcast.renders.store import RenderStore

from .listening import heard
from .scripted import GREETING, ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio

Method = Callable[..., Awaitable[Any]]


def looking(service: RenderService, method: Method, *, after: bool) -> Method:
    """Return ``method`` with a look at the table just before it, or just after it."""

    async def call(*args: Any, **kwargs: Any) -> Any:
        if not after:
            await service._watch.look()
        result = await method(*args, **kwargs)
        if after:
            await service._watch.look()
        return result

    return call


async def followed(service: RenderService, render: Render) -> Render:
    assert (await heard(service, render.id))[-1].type.ends
    return await service.wait(render.id, tenant="t")


PARTS = {"insert": "admission", "take": "claims", "holds": "claims", "finish": "endings"}
"""What changes a render or asks for it, and the part of the store whose it is."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", [*PARTS, "states"])
async def test_a_look_at_any_moment_changes_nothing_for_what_runs_here(
    service: RenderService, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool
) -> None:
    store: RenderStore = service._store
    if name == "states":  # the look itself, of which the answer is late
        original, late = store.states, asyncio.Event()

        async def states(render_ids: Any) -> Any:
            found = await original(render_ids)
            await late.wait()
            return found

        monkeypatch.setattr(store, "states", states)
    else:
        late = None
        part = getattr(store, PARTS[name])
        monkeypatch.setattr(part, name, looking(service, getattr(part, name), after=after))
    render = await service.submit(a_spec(), tenant="t")
    following = asyncio.create_task(followed(service, render))
    performance = await executor.begun.get()
    performance.say(*GREETING)
    if late is not None:
        late.set()
    performance.succeed()
    assert (await following).status is RenderStatus.succeeded
    assert (await followed(service, render)).attempt == 1
