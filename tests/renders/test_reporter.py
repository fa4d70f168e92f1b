"""What an attempt says, on its way to the table: bounded, and not lost when the table cannot be written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from manimcast.database import DatabaseError
from manimcast.renders.events import EventLog, EventType, Said
from manimcast.renders.model import RenderProgress
from manimcast.renders.reporter import LEFT_OUT, MOST_LINES, MOST_SEGMENTS, MOST_TEXT, Reporter
from manimcast.renders.rows import Claim
from manimcast.wire import Logged

from .scripted import GREETING, a_spec, at, played

pytestmark = pytest.mark.anyio


class Table(EventLog):
    """A table in memory, which cannot be written while it ``fails``.

    What is written is there before ``commits`` is set and the writer knows of it.
    """

    def __init__(self) -> None:
        self.fails = False
        self.commits = asyncio.Event()
        self.commits.set()
        self.is_written = asyncio.Event()
        self.written: list[Said] = []
        self.progress: list[int] = []

    async def report(
        self, render_id: str, attempt: int, said: Sequence[Said], progress: RenderProgress | None = None
    ) -> bool:
        if self.fails:
            raise DatabaseError("the disk is full")
        assert (render_id, attempt) == ("rnd_1", 1)
        assert said or progress
        self.written += said
        self.progress += [progress.animation_percent] if progress else []
        self.is_written.set()
        await self.commits.wait()
        return True


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def reporter(table: Table) -> Reporter:
    return Reporter(Claim("rnd_1", "t", 1, a_spec()), table)


def log(text: str) -> Logged:
    return Logged(level="info", text=text)


async def test_of_progress_only_the_newest_is_written(reporter: Reporter, table: Table) -> None:
    for message in (*GREETING, at(10), at(20), played(0), at(30)):
        reporter.hear(message)
    await reporter.write()
    await reporter.write()
    assert table.progress == [30]
    assert [said.type for said in table.written] == [EventType.segment]
    assert reporter.progress is not None
    assert reporter.progress.eta_seconds is not None


async def test_what_could_not_be_written_is_written_the_next_time_in_order(reporter: Reporter, table: Table) -> None:
    table.fails = True
    reporter.hear(log("one"))
    reporter.hear(at(10))
    with pytest.raises(DatabaseError):
        await reporter.write()
    reporter.hear(log("two"))
    table.fails = False
    await reporter.write()
    assert [said.data["text"] for said in table.written] == ["one", "two"]
    assert table.progress == [10]


@pytest.mark.parametrize(("line", "told"), [("short", MOST_LINES - 1), ("x" * 8000, MOST_TEXT // 8000)])
async def test_lines_are_bounded_and_that_is_said_once(reporter: Reporter, table: Table, line: str, told: int) -> None:
    for _ in range(3 * MOST_LINES):
        reporter.hear(log(line))
    await reporter.write()
    assert [said.data["text"] for said in table.written] == [line] * told + [LEFT_OUT]


async def test_segments_are_bounded(reporter: Reporter, table: Table) -> None:
    for index in range(MOST_SEGMENTS + 10):
        reporter.hear(played(index))
    await reporter.write()
    assert [said.data["animation_index"] for said in table.written] == list(range(MOST_SEGMENTS))


async def test_the_last_words_are_what_is_left_and_how_far_it_came(reporter: Reporter, table: Table) -> None:
    reporter.hear(at(50))
    await reporter.write()
    reporter.hear(log("bye"))
    assert [said.type for said in reporter.last_words(reporter.progress)] == [EventType.log], "50 was written"
    reporter.hear(at(70))
    assert [said.data.get("animation_percent") for said in reporter.last_words(reporter.progress)] == [70]
    assert reporter.last_words(None) == []


async def test_what_is_being_written_at_the_end_is_not_said_again(reporter: Reporter, table: Table) -> None:
    table.commits.clear()
    writer = asyncio.create_task(reporter.run())
    reporter.hear(played(0))
    await table.is_written.wait()
    writer.cancel()
    asyncio.get_running_loop().call_soon(table.commits.set)
    await asyncio.wait({writer})
    assert writer.cancelled()
    assert [said.type for said in table.written] == [EventType.segment]
    assert reporter.last_words(None) == []
