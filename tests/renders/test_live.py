"""How what waits for a slow follower is thinned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manimcast.renders.live import RECENT, Backlog, Live
from manimcast.wire import Logged, Message, Playing

from .scripted import at, playing


def drained(backlog: Backlog) -> list[Message]:
    messages = []
    while (message := backlog.take()) is not None:
        messages.append(message)
    return messages


def filled(messages: list[Message], room: int, most: int = 10_000) -> list[Message]:
    backlog = Backlog(room=room, most=most)
    for message in messages:
        backlog.append(message)
    return drained(backlog)


def the_plays(steps: list[list[int]]) -> list[Message]:
    messages: list[Message] = []
    for index, percents in enumerate(steps):
        messages += [
            playing(index),
            at(0, index),
            *(at(percent, index) for percent in sorted(percents)),
            at(100, index),
        ]
    return messages


plays = st.lists(st.lists(st.integers(0, 100), max_size=20), max_size=8)


@given(plays, st.integers(1, 20))
def test_thinning_keeps_both_ends_of_every_play_and_the_order(steps: list[list[int]], room: int) -> None:
    said = the_plays(steps)
    kept = filled(said, room)
    remaining = iter(said)
    assert all(any(message == other for other in remaining) for message in kept), "in order, and nothing made up"
    for index in range(len(steps)):
        assert {playing(index), at(0, index), at(100, index)} <= set(kept)
    assert kept[-1:] == said[-1:]
    assert len(kept) <= room + 4 * len(steps)


@given(plays)
def test_nothing_is_thinned_while_there_is_room(steps: list[list[int]]) -> None:
    said = the_plays(steps)
    assert filled(said, len(said) + 1) == said


def test_the_newest_progress_is_the_one_that_stays() -> None:
    assert filled([at(0), at(10), at(20), at(30)], room=1) == [at(0), at(30)]


def test_what_cannot_be_thinned_is_bounded_all_the_same() -> None:
    lines: list[Message] = [Logged(level="info", text=str(number)) for number in range(100)]
    assert filled(lines, room=4, most=10) == lines[-10:]


def test_only_the_last_ended_renders_are_remembered() -> None:
    live = Live()
    ids = [f"rnd_{number}" for number in range(RECENT + 1)]
    for render_id in ids:
        live.open(render_id)
        live.close(render_id)
    assert live.get(ids[0]) is None
    assert live.get(ids[-1]) is not None
    assert live.unended() == {}


@pytest.mark.anyio
async def test_followers_read_each_at_their_own_pace() -> None:
    channel = Live().open("rnd_1")
    channel.publish(at(0))
    first, second = channel.follow(), channel.follow()
    assert await anext(first) == at(0)
    channel.publish(at(50))
    assert await anext(first) == at(50)
    channel.close()
    assert [message async for message in first] == []
    assert [message async for message in second] == [at(0), at(50)]


def test_of_an_ended_render_only_the_last_is_kept():
    backlog = Backlog()
    for number in range(1000):
        backlog.append(Logged(level="info", text=f"{number}"))
        backlog.append(Playing(index=number, kind="Wait"))
    backlog.shorten()
    kept = []
    while (message := backlog.take()) is not None:
        kept.append(message)
    assert len(kept) <= 256
    assert [message.text for message in kept if isinstance(message, Logged)] == [f"{n}" for n in range(984, 1000)]
    assert isinstance(kept[-1], Playing)
    assert kept[-1].index == 999
