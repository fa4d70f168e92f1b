"""Attacks in a real child before the first scene: none comes through in the full tier, and they notice a hole."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from manimcast.sandbox.host import canary
from manimcast.sandbox.host.probe import Ground, examine
from manimcast.sandbox.host.supervisor import Supervisor
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.sandbox.layers import NAMESPACES, Layer
from tests.sandbox.hosts import OWNER
from tests.sandbox.test_lifetimes import BOUNDS


def proven(ground: Ground) -> tuple[str, ...]:
    async def scenario() -> tuple[str, ...]:
        zygote = await Zygote.start(ground, BOUNDS)
        try:
            return await canary.prove(zygote)
        finally:
            await zygote.kill()

    return asyncio.run(scenario())


def without(ground: Ground, *layers: Layer) -> Ground:
    return dataclasses.replace(ground, layers=ground.layers - set(layers) | {Layer.keeper})


@pytest.fixture(scope="module")
def full() -> Ground:
    return asyncio.run(examine(owner=OWNER))


def test_nothing_comes_through_in_the_full_tier(full: Ground) -> None:
    assert proven(full) == ()


def test_without_any_layer_everything_comes_through(full: Ground) -> None:
    escaped = proven(Ground())
    assert {
        "read a file of the host",
        "list the host's folder",
        "see other processes",
        "connect to the host",
        "open a network socket",
        "run a program of its own",
        "trace a process",
    } <= set(escaped)


def test_a_missing_layer_shows(full: Ground) -> None:
    bare = without(full, *NAMESPACES, Layer.own_proc, Layer.own_files, Layer.bubblewrap)
    assert "see other processes" in proven(bare)
    assert "connect to the host" in proven(without(bare, Layer.seccomp, Layer.landlock))
    assert "make a user namespace" in proven(without(full, Layer.seccomp))
    assert "run a program of its own" in proven(without(bare, Layer.landlock))


def test_where_the_sandbox_is_insisted_upon_a_hole_in_it_stops_everything(
    full: Ground, monkeypatch: pytest.MonkeyPatch
):
    async def hole(zygote: Zygote) -> tuple[str, ...]:
        return ("read a file of the host",)

    monkeypatch.setattr(canary, "prove", hole)

    async def scenario() -> None:
        strict, weak = Supervisor(BOUNDS, recycle=10, insists=True), Supervisor(BOUNDS, recycle=10)
        await strict.start(full)
        with pytest.raises(ZygoteError, match="does not hold: a scene could read a file of the host"):
            await strict.zygote()
        assert not strict.state().ready
        assert not strict.state().starting
        assert strict.state().reason
        await strict.stop()
        await weak.start(full)
        await weak.zygote()
        assert weak.escapes == ("read a file of the host",)
        await weak.stop()

    asyncio.run(scenario())
