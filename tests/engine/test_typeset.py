"""Typesetting apart from the render: Manim's own commands and bytes, and nothing that a document may do besides."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from manim.utils.tex_file_writing import make_tex_compilation_command

from manimcast.engine.typeset import svg_command, tex_command, typeset
from manimcast.tex import TexLimits
from manimcast.wire import TexDone, TexJob
from tests.engine.in_child import in_child
from tests.patience import PATIENCE

COMPILERS = ("latex", "pdflatex", "xelatex", "lualatex", "luatex")
FORMATS = (".dvi", ".xdv", ".pdf")

STOCK = """
import tempfile
from manim import TexTemplate
from manim.utils import tex_file_writing as stock
from manimcast.engine.typeset import typeset
from manimcast.tex import TexLimits
from manimcast.wire import TexJob

def template(compiler="latex", output_format=".dvi", preamble=""):
    made = TexTemplate(tex_compiler=compiler, output_format=output_format)
    return made.add_to_preamble(preamble) if preamble else made

DRAWING = (
    r"\\begin{tikzpicture}\\draw (0,0) -- (1,1);\\fill[red] (0,0) circle (3pt);"
    r"\\shade[left color=red,right color=blue] (0,0) rectangle (1,1);\\end{tikzpicture}"
)
CASES = [
    ("x", "align*", template()),
    (r"\\frac{a}{b}", "align*", template()),
    (r"\\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2}", "align*", template()),
    (r"\\sum_{n=1}^{\\infty}\\frac1{n^2}", "gather*", template()),
    (r"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "align*", template()),
    (r"(a+b)^2 &= a^2 + 2ab + b^2 \\\\ (a-b)^2 &= a^2 - 2ab + b^2", "align*", template()),
    (r"\\special{dvisvgm:raw <g id='unique000'>}x\\special{dvisvgm:raw </g>}", "align*", template()),
    (r"\\mathbb{R}\\subset\\mathbb{C}", "align*", template()),
    (r"\\underbrace{x + y}_{z}", "align*", template()),
    ("A word, and one more", "center", template()),
    (r"The area is $\\pi r^2$", "center", template()),
    (r"\\textbf{b}\\textit{i}\\texttt{t}\\textsc{sc}\\textsf{sf}", "center", template()),
    (r"\\begin{tabular}{c|c}a&b\\\\\\hline c&d\\end{tabular}", "center", template()),
    (r"\\rule{1cm}{2cm}", "center", template()),
    (r"\\jobname", "center", template()),
    (r"\\the\\inputlineno, \\the\\linewidth", "center", template()),
    ("é ü ß", None, template()),
    (r"$\\mathscr{L}\\{f\\}$", "center", template(preamble=r"\\usepackage{mathrsfs}")),
    (DRAWING, "center", template(preamble=r"\\usepackage{tikz}")),
    ("$x^2$ and text", "center", template("pdflatex", ".pdf")),
    (r"\\frac{a}{b}", "align*", template("pdflatex", ".dvi")),
    ("$x$", "center", template("latex", ".pdf")),
]
for compiler, output_format in (("lualatex", ".pdf"), ("lualatex", ".dvi"), ("xelatex", ".xdv"), ("xelatex", ".pdf")):
    CASES.append(("$x$ é", "center", template(compiler, output_format)))

os.environ |= {"openin_any": "p", "openout_any": "p"}
answers = []
for expression, environment, made in CASES:
    # A folder whose name is as long: the order of glyphs in an SVG goes by addresses in dvisvgm's memory.
    here, there = tempfile.mkdtemp(dir=HERE), tempfile.mkdtemp(dir=HERE)
    os.chdir(here)
    os.environ |= {"HOME": here, "TEXMFOUTPUT": here, "TEXMFVAR": f"{here}/tmp/texmf"}
    config.verbosity, config.media_dir, config.tex_dir = "CRITICAL", f"{here}/media", "{media_dir}/Tex"
    try:
        svg = stock.tex_to_svg_file(expression, environment, made).read_bytes().decode()
    except Exception:
        svg = None  # not installed, or no template for this compiler
    source = (
        made.get_texcode_for_expression_in_env(expression, environment)
        if environment else made.get_texcode_for_expression(expression)
    )
    os.environ |= {"HOME": there, "TEXMFVAR": f"{there}/tmp/texmf"}
    job = TexJob(
        source=source,
        compiler=made.tex_compiler,
        output_format=made.output_format,
        limits=TexLimits(seconds=600, file_bytes=1 << 26),
    )
    done = typeset(job, Path(there))
    answers.append([made.tex_compiler, made.output_format, expression, svg is not None, done.svg == svg, done.reason])
answer(answers)
"""


def job(
    body: str, *, preamble: str = "", seconds: float = PATIENCE, compiler: str = "latex", form: str = ".dvi"
) -> TexJob:
    source = f"\\documentclass{{article}}{preamble}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    limits = TexLimits(seconds=seconds, file_bytes=1 << 26)
    return TexJob.model_validate(
        {"source": source, "compiler": compiler, "output_format": form, "limits": limits.model_dump()}
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one run, which is home and working directory as well."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TEXMFVAR", str(folder / "tmp" / "texmf"))
    return folder


def made(folder: Path, body: str, **more: str) -> TexDone:
    return typeset(job(body, **more), folder)  # type: ignore[arg-type]


def test_the_svg_is_what_manim_would_have_made_byte_for_byte(tmp_path: Path) -> None:
    answers = in_child(tmp_path, STOCK)
    assert [case for case in answers if case[3] and not case[4]] == []
    assert [case for case in answers if not case[3] and case[5] not in {"failed", "unavailable"}] == []
    assert sum(case[3] for case in answers) >= 20


@pytest.mark.parametrize(("compiler", "form"), list(product(COMPILERS, FORMATS)))
def test_the_commands_are_manims_but_for_what_tex_may_run(compiler: str, form: str) -> None:
    tex_file = Path("/somewhere/media/Tex/0123.tex")
    try:
        stock = make_tex_compilation_command(compiler, form, tex_file, tex_file.parent)
    except ValueError:
        with pytest.raises(ValueError, match="xelatex"):
            tex_command(compiler, form, tex_file)
        return
    ours = tex_command(compiler, form, tex_file)
    assert [part for part in ours if part != "-no-shell-escape"] == stock
    assert ours.count("-no-shell-escape") == 1


def test_dvisvgm_is_called_as_manim_calls_it() -> None:
    plain = ["dvisvgm", "--page=1", "--no-fonts", "--verbosity=0", "--output=/a/b.svg"]
    assert svg_command(Path("/a/b.dvi"), ".dvi") == [*plain, "/a/b.dvi"]
    assert svg_command(Path("/a/b.pdf"), ".pdf") == ["dvisvgm", "--pdf", *plain[1:], "/a/b.pdf"]


def test_an_error_is_told_by_the_log_from_there_on(here: Path) -> None:
    done = made(here, r"one \foo two")
    assert (done.svg, done.reason) == (None, "failed")
    assert done.log is not None
    assert done.log.splitlines()[0] == "! Undefined control sequence."
    assert r"l.2 one \foo" in done.log


@pytest.mark.parametrize(
    ("body", "compiler", "form"),
    [
        ("", "latex", ".dvi"),  # no page
        ("x", "xelatex", ".dvi"),  # no such format
        ("x", "latex", ".xdv"),
    ],
)
def test_what_has_no_svg_is_left_to_whoever_asked(here: Path, body: str, compiler: str, form: str) -> None:
    done = made(here, body, compiler=compiler, form=form)
    assert done.svg is None
    assert done.reason in {"unavailable", "failed"}


def test_a_host_without_latex_has_no_answer(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(here))
    assert made(here, "x") == TexDone(reason="unavailable")


@pytest.mark.parametrize(
    "body",
    [r"\loop\iftrue\repeat", r"\def\x{\x}\x", r"\special{ps: { } loop}x"],
    ids=["loop", "recursion", "PostScript in dvisvgm"],
)
def test_what_does_not_end_is_ended(here: Path, body: str) -> None:
    done = typeset(job(body, seconds=1.5), here)
    if body.startswith(r"\special") and done.svg is not None:
        pytest.skip("this dvisvgm runs no PostScript")
    assert done == TexDone(reason="timeout", log="! latex did not end within 1.5 seconds.")


@pytest.mark.parametrize(
    "body",
    [
        r"\input{/etc/passwd}",
        r"\newread\f\openin\f=/etc/passwd \ifeof\f nothing\else\read\f to\x \errmessage{\x}\fi x",
        r"\InputIfFileExists{/etc/passwd}{}{nothing}",
        r"\InputIfFileExists{../secret.txt}{}{nothing}",
        r"\verb|x|\makeatletter\@input{/etc/passwd}nothing",
        r"\immediate\write18{touch ran}x",
        r"\input{|\"touch ran\"}",
        r"\newwrite\f\immediate\openout\f=/tmp/manimcast-was-here \immediate\write\f{x}x",
        r"\newwrite\f\immediate\openout\f=../escaped.txt \immediate\write\f{x}x",
    ],
)
def test_a_document_reads_writes_and_runs_nothing_outside(here: Path, body: str) -> None:
    (here.parent / "secret.txt").write_text("s3cret root:x:0:0")
    done = made(here, body)
    assert "root:x" not in (done.log or "") + (done.svg or "")
    assert "s3cret" not in (done.log or "") + (done.svg or "")
    assert not list(here.rglob("ran"))
    assert not Path("/tmp/manimcast-was-here").exists()
    assert {path.name for path in here.parent.iterdir()} == {"here", "secret.txt"}


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "folder", "not text", "large"])
def test_only_a_plain_file_of_text_is_an_svg(here: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = here / "bin"
    tools.mkdir()
    svg = "media/Tex/$(basename $1 .tex).svg"
    make = {
        "link": f"ln -s /etc/passwd {svg}",
        "hard link": f"echo '<svg/>' > other; ln other {svg}",
        "fifo": f"mkfifo {svg}",
        "folder": f"mkdir {svg}",
        "not text": f"printf '\\377\\376' > {svg}",
        "large": f"head -c 20000000 /dev/zero > {svg}",
    }[kind]
    # What TeX itself put there counts, as it does for Manim; dvisvgm is not even needed.
    (tools / "latex").write_text(f'#!/bin/sh\nfor last; do :; done\nset -- "$last"\n{make}\n')
    (tools / "latex").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    assert made(here, "x") == TexDone(reason="unavailable")


def test_a_log_is_cut_before_it_is_too_long(here: Path) -> None:
    done = made(here, r"\newcount\n \loop \immediate\write-1{! \romannumeral 9999}\advance\n1\ifnum\n<5000\repeat \foo")
    assert done.reason == "failed"
    assert done.log is not None
    assert len(done.log) == 64_000
