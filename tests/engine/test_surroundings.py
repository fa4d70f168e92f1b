"""When a document may be typeset away from the scene, and when LaTeX has to run beside the scene's own files."""

from __future__ import annotations

from pathlib import Path

import pytest

from manimcast.engine.surroundings import Surroundings

SOURCE = r"\documentclass[preview]{standalone}\begin{document}\begin{align*}a + b\end{align*}\end{document}"


@pytest.fixture
def tex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of TeX files, in the working directory and home of a render that has begun."""
    for name in ("media/Tex", "tmp", "given"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TEXMFVAR", str(tmp_path / "tmp" / "texmf"))
    return tmp_path / "media" / "Tex"


@pytest.fixture
def surroundings(tex: Path) -> Surroundings:
    """To be begun by the test, since pytest sets a variable of its own before each."""
    return Surroundings()


def test_what_every_render_has_does_not_concern_a_document(surroundings: Surroundings, tex: Path) -> None:
    surroundings.begin()
    Path("scene.py").touch()
    Path("__pycache__").mkdir()
    Path("tmp/cache").mkdir()
    for name in ("0123.tex", "0123.svg", "4567.log"):
        (tex / name).touch()
    assert not surroundings.concern(SOURCE, tex)
    assert surroundings.own_files() == set()


def test_a_file_that_the_document_does_not_name_does_not_concern_it(surroundings: Surroundings, tex: Path) -> None:
    surroundings.begin()
    Path("picture.png").touch()
    assert not surroundings.concern(SOURCE, tex)
    assert surroundings.own_files() == {"picture.png"}


@pytest.mark.parametrize(
    "name",
    [
        "standalone.cfg",
        "amsmath.sty",
        "keyval.tex",
        "loader.lua",
        "own.ttf",
        "texmf",
        ".texlive2022",
        "tmp/texmf",
        "media/Tex/babel.def",
        "media/Tex/0123.aux",
        "media/Tex/0123.dvi",
        "media/Tex/folder",
    ],
)
def test_what_tex_finds_unasked_does(surroundings: Surroundings, tex: Path, name: str) -> None:
    surroundings.begin()
    Path(name).touch()
    assert surroundings.concern(SOURCE, tex)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("data.txt", r"\input{data.txt}"),
        ("data.txt", r"\input data "),
        ("picture.png", r"\includegraphics{picture}"),
        ("assets", r"\includegraphics{assets/deep/picture.png}"),
        ("figure.eps", r"\special{psfile=figure.eps}"),
    ],
)
def test_a_file_that_the_document_names_does(surroundings: Surroundings, tex: Path, name: str, body: str) -> None:
    surroundings.begin()
    assert not surroundings.concern(SOURCE + body, tex)
    Path(name).touch()
    assert surroundings.concern(SOURCE + body, tex)


@pytest.mark.parametrize(
    "body",
    [
        r"\verbatiminput{scene.py}",
        r"\input{media/Tex/0123}",
        r"\input{tmp/other}",
        r"\immediate\openout\file=data.txt",
        r"\newwrite\file",
        r"\begin{filecontents}{own.sty}x\end{filecontents}",
    ],
)
def test_a_document_that_reads_or_leaves_the_renders_files_does(
    surroundings: Surroundings, tex: Path, body: str
) -> None:
    surroundings.begin()
    assert surroundings.concern(SOURCE + body, tex)


@pytest.mark.parametrize("variable", ["TEXINPUTS", "openin_any", "PATH", "HOME"])
def test_a_variable_does(surroundings: Surroundings, tex: Path, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    surroundings.begin()
    monkeypatch.setenv(variable, "changed")
    assert surroundings.concern(SOURCE, tex)


def test_another_working_directory_does(surroundings: Surroundings, tex: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    surroundings.begin()
    monkeypatch.chdir("given")
    assert surroundings.concern(SOURCE, tex)


def test_before_a_render_begins_everything_does(tex: Path) -> None:
    assert Surroundings().concern(SOURCE, tex)
