r"""Preambles read beforehand: the same bytes as without, and no format where that could not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from manimcast.engine import typeset as module
from manimcast.engine.format import dump, without_preamble
from manimcast.engine.typeset import typeset
from manimcast.tex import FORMAT, TexDocument, TexLimits, TexPreamble
from manimcast.wire import FormatJob, TexDone, TexJob
from tests.patience import PATIENCE

LIMITS = TexLimits(seconds=PATIENCE, file_bytes=1 << 26)
ARTICLE = "\\documentclass{article}\n"
MANIM = (
    "\\documentclass[preview]{standalone}\n\\usepackage[english]{babel}\n\\usepackage{amsmath}\n\\usepackage{amssymb}\n"
)
PREAMBLES = {
    "Manim's own": MANIM,
    "colours": MANIM + "\\usepackage{xcolor}\n\\definecolor{mine}{HTML}{123456}\n",
    "definitions": MANIM + "\\newcommand{\\foo}[1]{\\mathbf{#1}}\n% a remark\n\n\n\\setlength{\\parindent}{3pt}\n",
    "drawing": MANIM + "\\usepackage{tikz}\n",
    "encodings": ARTICLE + "\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n",
    "physics": MANIM + "\\usepackage{physics}\n\\usepackage{siunitx}\n",
}
BODIES = (
    "\\begin{center}\nA word $x^2$, \\textbf{bold} on line \\the\\inputlineno\n\\end{center}\n",
    "\\special{dvisvgm:raw <g id='unique000'>}$\\sum_{n=1}^\\infty \\frac{1}{n}$\\special{dvisvgm:raw </g>}\n",
    "one\n\ntwo \\the\\lastpenalty, \\the\\prevgraf, \\the\\deadcycles\n",
)


def job(source: str, compiler: str = "latex", form: str = ".dvi") -> TexJob:
    return TexJob.model_validate(
        {"source": source, "compiler": compiler, "output_format": form, "limits": LIMITS.model_dump()}
    )


def document(preamble: str, body: str) -> str:
    return f"{preamble}\\begin{{document}}\n{body}\\end{{document}}\n"


class Room:
    """A folder for each run, with a name of the same length."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root, self._patch, self._count = root, monkeypatch, 0

    def folder(self) -> Path:
        self._count += 1
        folder = self._root / f"run-{self._count:03}"
        folder.mkdir()
        self._patch.chdir(folder)
        self._patch.setenv("HOME", str(folder))
        self._patch.setenv("TEXMFVAR", str(folder / "tmp" / "texmf"))
        return folder

    def dumped(self, preamble: str, compiler: str = "latex", form: str = ".dvi") -> Path | None:
        folder = self.folder()
        wanted = FormatJob.model_validate(
            {"preamble": preamble, "compiler": compiler, "output_format": form, "limits": LIMITS.model_dump()}
        )
        made = dump(wanted, folder)
        assert (folder / FORMAT).exists() == made
        return folder / FORMAT if made else None


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(tmp_path, monkeypatch)


@pytest.mark.parametrize("preamble", PREAMBLES.values(), ids=PREAMBLES.keys())
def test_what_starts_from_a_format_is_the_same_byte_for_byte(room: Room, preamble: str) -> None:
    dumped = room.dumped(preamble)
    assert dumped is not None
    for body in BODIES:
        wanted = job(document(preamble, body))
        stock = typeset(wanted, room.folder())
        assert stock.svg is not None
        assert typeset(wanted, room.folder(), dumped) == stock.model_copy(update={"resumed": True})


def test_pdf_is_the_same_as_well(room: Room) -> None:
    dumped = room.dumped(MANIM, "pdflatex", ".pdf")
    assert dumped is not None
    wanted = job(document(MANIM, BODIES[0]), "pdflatex", ".pdf")
    assert typeset(wanted, room.folder(), dumped).svg == typeset(wanted, room.folder()).svg is not None


def test_a_format_is_not_compressed(room: Room) -> None:
    dumped = room.dumped(ARTICLE)
    assert dumped is not None
    assert dumped.read_bytes()[:2] != b"\x1f\x8b"


@pytest.mark.parametrize(
    "addition",
    [
        "\\begingroup\n",
        "\\iftrue\n",
        "\\undefinedhere\n",
        "\\hbox{x}\n",
        "\\catcode13=12\n",
        "\\endlinechar=65\n",
        "\\immediate\\csname open\\string out\\endcsname5=left.behind\n",
        "\\newcommand{\\x}{\n",
        "\\iffalse\n",
        "\\setbox0\n",
        "\\end\n",
        "\\stop\n",
    ],
)
def test_a_preamble_that_leaves_something_unfinished_or_behind_is_not_dumped(room: Room, addition: str) -> None:
    assert room.dumped(ARTICLE + addition) is None


def test_what_a_preamble_has_tex_do_at_its_start_is_not_done_at_each_start(room: Room) -> None:
    preamble = ARTICLE + "\\csname every\\string job\\endcsname{\\global\\let\\sum\\int}\n"
    dumped = room.dumped(preamble)
    assert dumped is not None
    wanted = job(document(preamble, "$\\sum x$\n"))
    assert typeset(wanted, room.folder(), dumped).svg == typeset(wanted, room.folder()).svg is not None


@pytest.mark.parametrize("body", ["\\foo\n", "x\n\\includegraphics{none}\n", "$x\n"])
def test_an_error_is_told_as_without_a_format(room: Room, body: str) -> None:
    dumped = room.dumped(MANIM)
    wanted = job(document(MANIM, body))
    stock = typeset(wanted, room.folder())
    assert (stock.reason, typeset(wanted, room.folder(), dumped)) == ("failed", stock)


@pytest.mark.parametrize("content", [b"", b"no format", b"\0" * 100_000])
def test_a_damaged_format_costs_a_second_run(room: Room, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = room.folder()
    bad = folder / FORMAT
    bad.write_bytes(content)
    wanted = job(document(ARTICLE, BODIES[0]))
    stock = typeset(wanted, room.folder())
    commands: list[list[str]] = []
    run = module.run
    monkeypatch.setattr(module, "run", lambda command, *more: commands.append(command) or run(command, *more))
    assert typeset(wanted, room.folder(), bad) == stock
    assert [any(part.startswith("-fmt=") for part in command) for command in commands] == [True, False, False]


def test_an_endless_body_ends_once(room: Room) -> None:
    dumped = room.dumped(ARTICLE)
    wanted = job(document(ARTICLE, "\\loop\\iftrue\\repeat\n")).model_copy(
        update={"limits": TexLimits(seconds=1, file_bytes=1 << 26)}
    )
    done = typeset(wanted, room.folder(), dumped)
    assert done == TexDone(reason="timeout", log="! latex did not end within 1 seconds.", resumed=True)


def test_lines_keep_their_numbers() -> None:
    source = document(MANIM, "x\n")
    preamble = TexPreamble.of(job(source))
    assert preamble is not None
    lines, without = source.splitlines(), without_preamble(source, preamble).splitlines()
    assert len(without) == len(lines)
    assert without[4:] == lines[4:]
    assert all(line.startswith("\\begincoun") or line == "\\begincontinued" for line in without[:4])


@pytest.mark.parametrize(
    ("source", "compiler"),
    [
        (document(ARTICLE, "x"), "xelatex"),
        (document(ARTICLE, "x"), "lualatex"),
        (document(ARTICLE, "\\today"), "latex"),
        (document(ARTICLE, "\\jobname"), "latex"),
        (document(ARTICLE + "\\everyjob{x}\n", "x"), "latex"),
        (document("\\documentclass{article} ", "x"), "latex"),
        ("\\begin{document}x\\end{document}", "latex"),
        (document("%&other\n" + ARTICLE, "x"), "latex"),
        (document(ARTICLE, "\\begincounted"), "latex"),
        ("x", "latex"),
    ],
)
def test_what_could_tell_the_difference_has_no_preamble_of_its_own(source: str, compiler: str) -> None:
    form = ".xdv" if compiler == "xelatex" else ".dvi"
    wanted = TexDocument.model_validate({"source": source, "compiler": compiler, "output_format": form})
    assert TexPreamble.of(wanted) is None
