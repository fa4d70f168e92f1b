"""Who runs TeX for whom: each document once, only successes kept, nobody's failure another's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from manimcast import wire
from manimcast.cache import EntryStore
from manimcast.executors.typeset import Typesetter, key
from manimcast.executors.versions import VERSIONS
from manimcast.tex import MAX_SVG, PASSING, TexDocument
from manimcast.wire import TexDone, TexJob
from tests.patience import eventually

HERE = {"manim": "0.22.0", "latex": "pdfTeX 1", "dvisvgm": "dvisvgm 3", "tex": "abcd", "numpy": "2"}


def document(source: str = "x", compiler: str = "latex", output_format: str = ".dvi") -> TexDocument:
    return TexDocument.model_validate({"source": source, "compiler": compiler, "output_format": output_format})


class Runner:
    """Stands in for the confined process: notes what it was given, waits if told to, answers as told.

    ``go`` lets runs answer, and ``end`` lets those that are cancelled end.
    """

    def __init__(self, answer: Callable[[TexJob], TexDone | Exception] | None = None) -> None:
        self.jobs: list[TexJob] = []
        self.at_once = self.most_at_once = self.ending = self.cancelled = 0
        self.go = asyncio.Event()
        self.go.set()
        self.end = asyncio.Event()
        self.end.set()
        self._answer = answer or (lambda job: TexDone(svg=f"<svg>{job.source}</svg>"))

    async def __call__(self, job: TexJob) -> TexDone:
        self.jobs.append(job)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ending += 1
            await self.end.wait()  # as the end of a process takes a moment
            self.cancelled += 1
            raise
        finally:
            self.at_once -= 1
        answer = self._answer(job)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(tmp_path / "tex", 1 << 20)


def typesetter(store: EntryStore | None, at_once: int = 2) -> Typesetter:
    return Typesetter(store, seconds=7, at_once=at_once)


def waiting(one: Typesetter) -> int:
    """How many wait for a run, begun or not."""
    return sum(flight.waiting for flight in one._flights.values())


def entries(store: EntryStore) -> int:
    return sum(path.is_file() for path in store._folder.rglob("*"))


def test_a_document_is_made_once_also_for_the_next_service(store: EntryStore) -> None:
    run = Runner()

    async def work() -> None:
        made = TexDone(svg="<svg>x</svg>")
        assert await typesetter(store).typeset(document(), HERE, run) == made
        assert await typesetter(store).typeset(document(), HERE, run) == made

    asyncio.run(work())
    (job,) = run.jobs
    assert (job.source, job.compiler, job.output_format, job.limits.seconds) == ("x", "latex", ".dvi", 7)


def test_an_answer_bears_the_questions_number(store: EntryStore) -> None:
    question = wire.Typeset(number=3, source="x", compiler="latex", output_format=".dvi")
    answer = asyncio.run(typesetter(store).answer(question, HERE, Runner()))
    assert answer == wire.Typesetting(number=3, svg="<svg>x</svg>")


@pytest.mark.parametrize(
    ("other", "versions"),
    [
        (document("x "), HERE),
        (document("x\r"), HERE),
        (document(compiler="pdflatex"), HERE),
        (document(output_format=".pdf"), HERE),
        *((document(), HERE | {name: "another"}) for name in VERSIONS),
        (document(), {}),
    ],
)
def test_another_document_or_another_tool_is_another_key(
    store: EntryStore, other: TexDocument, versions: dict[str, str]
) -> None:
    assert key(other, versions) != key(document(), HERE)
    run = Runner()

    async def work() -> None:
        await typesetter(store).typeset(document(), HERE, run)
        await typesetter(store).typeset(other, versions, run)

    asyncio.run(work())
    assert len(run.jobs) == 2


def test_what_does_not_decide_the_outlines_is_not_in_the_key() -> None:
    assert key(document(), HERE | {"numpy": "3"}) == key(document(), HERE)


@pytest.mark.parametrize(
    "done",
    [
        TexDone(reason="failed", log="! Undefined control sequence."),
        TexDone(reason="timeout", log="! late"),
        TexDone(reason="unavailable"),
    ],
)
def test_failures_are_told_and_not_kept(store: EntryStore, done: TexDone) -> None:
    run = Runner(lambda job: done)

    async def work() -> None:
        for _ in range(2):
            assert await typesetter(store).typeset(document(), HERE, run) == done

    asyncio.run(work())
    assert len(run.jobs) == 2
    assert entries(store) == 0


@pytest.mark.parametrize("error", [OSError("no fork"), wire.WireError("it lied"), RuntimeError("odd")])
def test_what_goes_wrong_on_the_way_leaves_the_render_to_itself(store: EntryStore, error: Exception) -> None:
    done = asyncio.run(typesetter(store).typeset(document(), HERE, Runner(lambda job: error)))
    assert done == TexDone(reason="unavailable")
    assert entries(store) == 0


def test_equal_questions_at_once_cost_one_run(store: EntryStore) -> None:
    run = Runner()
    run.go.clear()

    async def work() -> None:
        one = typesetter(store)
        asking = [asyncio.create_task(one.typeset(document(), HERE, run)) for _ in range(5)]
        await eventually(lambda: waiting(one) == 5, "that all wait")
        run.go.set()
        assert {done.svg for done in await asyncio.gather(*asking)} == {"<svg>x</svg>"}
        assert one.runs == 1

    asyncio.run(work())
    assert len(run.jobs) == 1


def test_no_more_run_at_once_than_allowed() -> None:
    run = Runner()
    run.go.clear()

    async def work() -> None:
        one = typesetter(None, at_once=2)
        asking = [asyncio.create_task(one.typeset(document(str(n)), HERE, run)) for n in range(6)]
        await eventually(lambda: waiting(one) == 6, "that all wait")
        assert run.at_once == 2
        run.go.set()
        assert [done.svg for done in await asyncio.gather(*asking)] == [f"<svg>{n}</svg>" for n in range(6)]

    asyncio.run(work())
    assert run.most_at_once == 2


def test_without_a_store_each_question_is_a_run() -> None:
    run = Runner()

    async def work() -> None:
        one = typesetter(None)
        for _ in range(3):
            await one.typeset(document(), HERE, run)

    asyncio.run(work())
    assert len(run.jobs) == 3


class TestCancelling:
    """A render that ends takes its run with it, unless somebody else waits for it."""

    @staticmethod
    async def started(one: Typesetter, run: Runner, count: int) -> list[asyncio.Task[TexDone]]:
        """Have ``count`` wait for a run that has begun."""
        tasks = [asyncio.create_task(one.typeset(document(), HERE, run)) for _ in range(count)]
        await eventually(lambda: waiting(one) == count and run.jobs, "a run that all wait for")
        return tasks

    def test_the_last_one_who_waits_ends_the_run_before_it_is_gone_itself(self, store: EntryStore) -> None:
        run = Runner()
        run.go.clear()
        run.end.clear()

        async def work() -> None:
            (only,) = await self.started(typesetter(store), run, 1)
            only.cancel()
            await eventually(lambda: run.ending, "that the run is being ended")
            assert not only.done()
            run.end.set()
            with pytest.raises(asyncio.CancelledError):
                await only
            assert (run.at_once, run.cancelled) == (0, 1)

        asyncio.run(work())
        assert entries(store) == 0

    def test_others_still_get_theirs(self, store: EntryStore) -> None:
        run = Runner()
        run.go.clear()

        async def work() -> None:
            one = typesetter(store)
            first, *others = await self.started(one, run, 3)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert (waiting(one), run.at_once, run.ending) == (2, 1, 0)
            run.go.set()
            assert [done.svg for done in await asyncio.gather(*others)] == ["<svg>x</svg>"] * 2

        asyncio.run(work())
        assert (len(run.jobs), run.ending) == (1, 0)

    def test_who_asks_after_that_gets_a_run_of_their_own(self, store: EntryStore) -> None:
        run = Runner()
        run.go.clear()
        run.end.clear()

        async def work() -> None:
            one = typesetter(store)
            (first,) = await self.started(one, run, 1)
            first.cancel()
            await eventually(lambda: run.ending, "that the run is being ended")
            second = asyncio.create_task(one.typeset(document(), HERE, run))
            await eventually(lambda: len(run.jobs) == 2, "another run")
            assert not first.done()
            run.end.set()
            run.go.set()
            assert (await second).svg == "<svg>x</svg>"
            with pytest.raises(asyncio.CancelledError):
                await first

        asyncio.run(work())
        assert (len(run.jobs), run.cancelled) == (2, 1)

    def test_who_waits_for_room_can_give_up(self, store: EntryStore) -> None:
        run = Runner()
        run.go.clear()

        async def work() -> None:
            one = typesetter(store, at_once=1)
            busy = asyncio.create_task(one.typeset(document("busy"), HERE, run))
            await eventually(lambda: run.jobs, "the run that takes the room")
            queued = asyncio.create_task(one.typeset(document(), HERE, run))
            await eventually(lambda: waiting(one) == 2, "that another waits for room")
            queued.cancel()
            with pytest.raises(asyncio.CancelledError):
                await queued
            run.go.set()
            assert (await busy).svg == "<svg>busy</svg>"

        asyncio.run(work())
        assert [job.source for job in run.jobs] == ["busy"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (MAX_SVG + 1)])
def test_an_entry_that_cannot_be_an_answer_is_made_anew(tmp_path: Path, content: bytes) -> None:
    store = EntryStore(tmp_path / "tex", 1 << 23)
    store.put(key(document(), HERE), content)
    run = Runner()
    done = asyncio.run(typesetter(store).typeset(document(), HERE, run))
    assert done.svg == "<svg>x</svg>"
    assert store.get(key(document(), HERE)) == b"<svg>x</svg>"


@pytest.mark.parametrize(
    "source",
    [
        r"\today",
        r"\the\year.",
        r"\number\time",
        r"\usepackage{datetime2}",
        r"\pgfmathparse{rnd}",
        r"\draw[decorate, decoration={random steps}]",
        r"\pdfuniformdeviate 10",
        r"\directlua{tex.print(os.time())}",
    ],
)
def test_what_is_another_document_tomorrow_is_not_kept(store: EntryStore, source: str) -> None:
    run = Runner()

    async def work() -> None:
        for _ in range(2):
            await typesetter(store).typeset(document(source), HERE, run)

    asyncio.run(work())
    assert len(run.jobs) == 2
    assert entries(store) == 0


@pytest.mark.parametrize("source", [r"a \times b", r"\operatorname{rank}", r"\daylight \monthly", "brand new update"])
def test_ordinary_documents_are_kept(source: str) -> None:
    assert PASSING.search(source) is None
