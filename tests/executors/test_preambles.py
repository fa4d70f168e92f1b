"""Which preambles are dumped, when, for whom, and what happens when that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from manimcast.cache import EntryStore
from manimcast.executors.preambles import AFTER, Format, Preambles, key
from manimcast.executors.typeset import Typesetter, limits
from manimcast.tex import TexDocument, TexPreamble
from manimcast.wire import FormatJob, TexDone, TexJob
from tests.patience import PATIENCE

HERE = {"manim": "0.22.0", "latex": "pdfTeX 1", "dvisvgm": "dvisvgm 3", "tex": "abcd"}
PREAMBLE = "\\documentclass{article}\n"


def document(body: str, preamble: str = PREAMBLE) -> TexDocument:
    source = f"{preamble}\\begin{{document}}{body}\\end{{document}}"
    return TexDocument(source=source, compiler="latex", output_format=".dvi")


class Machine:
    """Stands in for the confined processes: notes what they were given, and answers as told."""

    def __init__(self) -> None:
        self.dumped: list[str] = []
        self.with_format: list[tuple[str, bytes]] = []
        self.plain: list[str] = []
        self.content: bytes | Exception | None = b"the format"
        self.resumed: Callable[[str], TexDone] = lambda source: TexDone(svg=f"<svg>{source}</svg>", resumed=True)

    async def run(self, job: TexJob, dumped: Format | None = None, /) -> TexDone:
        if dumped is None:
            self.plain.append(job.source)
            return TexDone(svg=f"<svg>{job.source}</svg>")
        with open(dumped.fileno(), "rb", closefd=False) as file:  # noqa: ASYNC230  a few bytes
            file.seek(dumped.offset)
            self.with_format.append((job.source, file.read(dumped.size)))
        return self.resumed(job.source)

    async def dump(self, job: FormatJob, target: Path) -> bool:
        self.dumped.append(job.preamble)
        if isinstance(self.content, Exception):
            raise self.content
        if self.content is None:
            return False
        target.write_bytes(self.content)
        return True


class Rig:
    def __init__(self, folder: Path, size: int = 1 << 20) -> None:
        self.folder = folder
        self.machine = Machine()
        self.preambles = Preambles(EntryStore(folder, size), limits(7))
        self.typesetter = Typesetter(None, seconds=7, at_once=2, preambles=self.preambles)

    def typeset(self, *bodies: str, preamble: str = PREAMBLE) -> None:
        async def work() -> None:
            for body in bodies:
                wanted = document(body, preamble)
                done = await self.typesetter.typeset(wanted, HERE, self.machine.run, self.machine.dump)
                assert done.svg == f"<svg>{wanted.source}</svg>"
                await self.typesetter.settle()

        asyncio.run(work())

    @property
    def used(self) -> list[str]:
        """Bodies of the documents that started from a format, without trials."""
        bodies = [
            source.partition("{document}")[2].removesuffix("\\end{document}") for source, _ in self.machine.with_format
        ]
        return [body for body in bodies if "Trial" not in body]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "formats")


def entry(rig: Rig, preamble: str = PREAMBLE) -> Path:
    wanted = TexPreamble.of(document("x", preamble))
    assert wanted is not None
    name = key(wanted, HERE)
    return rig.folder / name[:2] / name


def test_a_preamble_is_dumped_once_a_few_documents_had_it(rig: Rig) -> None:
    rig.typeset(*(str(number) for number in range(AFTER - 1)))
    assert rig.machine.dumped == []
    rig.typeset("last")
    assert rig.machine.dumped == [PREAMBLE]
    assert rig.used == []
    rig.typeset("from here", "and here")
    assert rig.machine.dumped == [PREAMBLE]
    assert rig.used == ["from here", "and here"]
    assert {content for _, content in rig.machine.with_format} == {b"the format"}


def test_the_next_service_has_it(rig: Rig) -> None:
    rig.typeset(*"abc")
    other = Rig(rig.folder)
    other.typeset("d")
    assert (other.machine.dumped, other.used) == ([], ["d"])


def test_another_preamble_has_another_format(rig: Rig) -> None:
    rig.typeset(*"abc")
    rig.typeset("d", preamble=PREAMBLE + "\\let\\sum\\int\n")
    rig.typeset("e", preamble=PREAMBLE + "% \n")
    assert rig.used == []


@pytest.mark.parametrize("name", HERE)
def test_other_tools_have_another_format(name: str) -> None:
    wanted = TexPreamble.of(document("x"))
    assert wanted is not None
    assert key(wanted, HERE) != key(wanted, HERE | {name: "another"})


def test_what_cannot_be_dumped_is_remembered(rig: Rig) -> None:
    rig.machine.content = None
    rig.typeset(*"abcdefgh")
    other = Rig(rig.folder)
    other.typeset(*"ijklm")
    assert (len(rig.machine.dumped), other.machine.dumped) == (1, [])
    assert rig.used == other.used == []


@pytest.mark.parametrize(
    "answer",
    [
        TexDone(svg="<svg>another</svg>", resumed=True),
        TexDone(reason="failed", log="!", resumed=False),
        TexDone(reason="unavailable"),
    ],
)
def test_a_format_that_makes_something_else_is_not_used(rig: Rig, answer: TexDone) -> None:
    rig.machine.resumed = lambda _: answer
    rig.typeset(*"abcdef")
    assert len(rig.machine.dumped) == 1
    assert rig.used == []


def test_a_trial_that_only_fell_back_is_no_proof(rig: Rig) -> None:
    rig.machine.resumed = lambda source: TexDone(svg=f"<svg>{source}</svg>", resumed=False)
    rig.typeset(*"abcd")
    assert rig.used == []


def test_the_trial_is_nobodys_document(rig: Rig) -> None:
    rig.typeset(*"abc")
    (tried,) = rig.machine.with_format
    assert tried[0].startswith(PREAMBLE + "\\begin{document}\nTrial")
    assert tried[0] in rig.machine.plain


def test_a_failure_of_the_machinery_is_no_verdict(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.machine.content = OSError("no room")
    rig.typeset(*"abc")
    assert "could not be dumped: no room" in caplog.text
    assert not entry(rig).exists()
    rig.machine.content = b"the format"
    rig.typeset(*"def")
    assert len(rig.machine.dumped) == 2
    rig.typeset("g")
    assert rig.used == ["g"]


def test_a_damaged_format_is_made_anew(rig: Rig) -> None:
    rig.typeset(*"abc")
    path = entry(rig)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    other = Rig(rig.folder)
    other.typeset(*"def")
    assert other.machine.dumped == [PREAMBLE]
    other.typeset("g")
    assert other.used == ["g"]


def test_a_format_that_is_removed_meanwhile_is_still_read(rig: Rig) -> None:
    rig.typeset(*"abc")
    entry(rig).unlink()
    rig.typeset("d")
    assert rig.machine.with_format[-1][1] == b"the format"


def test_a_format_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, size=1000)
    rig.machine.content = b"x" * 2000
    rig.typeset(*"abcd")
    assert rig.used == []
    assert not entry(rig).exists()


def test_without_whoever_dumps_nothing_is_dumped(rig: Rig) -> None:
    async def work() -> None:
        for body in "abcde":
            await rig.typesetter.typeset(document(body), HERE, rig.machine.run)

    asyncio.run(work())
    assert rig.machine.dumped == []


def test_closing_ends_what_is_being_made(rig: Rig) -> None:
    begun = asyncio.Event()

    async def endless(job: FormatJob, target: Path) -> bool:
        begun.set()
        await asyncio.Event().wait()
        return True

    async def work() -> None:
        for body in "abc":
            await rig.typesetter.typeset(document(body), HERE, rig.machine.run, endless)
        await begun.wait()
        await rig.typesetter.close()

    asyncio.run(asyncio.wait_for(work(), PATIENCE))
    assert not entry(rig).exists()
