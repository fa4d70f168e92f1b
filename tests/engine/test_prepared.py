"""Prepared TeX: what is used of a folder, what is not, and when LaTeX runs all the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from manimcast.engine.prepared import MANIFEST, Manifest, Prepared, file_of, key, load

SOURCE = b"\\documentclass{standalone} x"
OTHER = b"\\documentclass{standalone} y"
SVG = b"<svg>x</svg>"
HERE = {"manim": "0.22.0", "latex": "pdfTeX 1", "dvisvgm": "dvisvgm 3", "numpy": "2"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two expressions, and one file that LaTeX read."""
    folder, read = tmp_path / "prepared", tmp_path / "standalone.cls"
    folder.mkdir()
    read.write_bytes(b"class")
    svgs = {}
    for source, svg in ((SOURCE, SVG), (OTHER, b"<svg>y</svg>")):
        digest = hashlib.sha256(svg).hexdigest()
        file_of(folder, digest).write_bytes(svg)
        svgs[key(source, "latex", ".dvi")] = digest
    inputs = {str(read): hashlib.sha256(b"class").hexdigest()}
    versions = {name: HERE[name] for name in ("manim", "latex", "dvisvgm")}
    manifest = Manifest(versions=versions, inputs=inputs, svgs=svgs)
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    return folder


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory and home of a render."""
    work = tmp_path / "work"
    (work / "Tex").mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(work))
    return work


def provided(
    prepared: Prepared, source: bytes = SOURCE, compiler: str | list[str] = "latex", form: str = ".dvi"
) -> bytes | None:
    """What comes to lie beside a document that Manim wrote."""
    tex_file = Path("Tex/0123.tex").absolute()
    tex_file.write_bytes(source)
    svg_file = tex_file.with_suffix(".svg")
    prepared.provide(tex_file, compiler, form)
    return svg_file.read_bytes() if svg_file.exists() else None


def test_a_prepared_document_gets_its_svg(folder: Path, work: Path) -> None:
    prepared, complaint = load(folder, HERE)
    assert complaint is None
    assert len(prepared) == 2
    assert provided(prepared) == SVG


@pytest.mark.parametrize(
    ("source", "compiler", "form"),
    [
        (SOURCE + b" ", "latex", ".dvi"),
        (SOURCE, "xelatex", ".dvi"),
        (SOURCE, ["latex"], ".dvi"),
        (SOURCE, "latex", ".pdf"),
    ],
)
def test_another_document_compiler_or_format_gets_none(
    folder: Path, work: Path, source: bytes, compiler: str | list[str], form: str
) -> None:
    assert provided(load(folder, HERE)[0], source, compiler, form) is None


def test_what_manim_already_has_stays(folder: Path, work: Path) -> None:
    Path("Tex/0123.svg").write_bytes(b"own")
    assert provided(load(folder, HERE)[0]) == b"own"


@pytest.mark.parametrize("name", ["amsmath.sty", "standalone.cls", "local.cfg", "texmf", "Tex/babel.def"])
def test_files_that_latex_would_find_in_the_scenes_directory_turn_it_off(folder: Path, work: Path, name: str) -> None:
    prepared, _ = load(folder, HERE)
    (work / "scene.py").touch()
    (work / "Tex" / "4567.tex").touch()
    own = work / name
    own.touch()
    assert provided(prepared) is None
    own.unlink()
    assert provided(prepared) == SVG


def test_a_file_that_latex_read_by_any_other_name_turns_it_off_too(folder: Path, work: Path) -> None:
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["inputs"] = {str(work.parent / "keyval.tex"): hashlib.sha256(b"").hexdigest()}
    path.write_text(json.dumps(manifest))
    (work.parent / "keyval.tex").touch()
    prepared, complaint = load(folder, HERE)
    assert complaint is None
    (work / "keyval.tex").touch()
    assert provided(prepared) is None


def test_a_scene_that_changes_its_environment_has_latex_run_in_it(
    folder: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, _ = load(folder, HERE)
    monkeypatch.setenv("HOME", str(work / "elsewhere"))
    prepared.surroundings.begin()
    monkeypatch.setenv("TEXINPUTS", "/somewhere")
    assert provided(prepared) is None
    monkeypatch.delenv("TEXINPUTS")
    assert provided(prepared) == SVG


@pytest.mark.parametrize("content", [b"", SVG[:-1], b"<svg>foreign</svg>", None])
def test_a_damaged_file_is_not_used_and_the_others_are(folder: Path, work: Path, content: bytes | None) -> None:
    path = file_of(folder, hashlib.sha256(SVG).hexdigest())
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    prepared, complaint = load(folder, HERE)
    assert provided(prepared) is None
    assert provided(prepared, OTHER) == b"<svg>y</svg>"
    assert complaint is not None
    assert complaint.startswith(f"1 files of prepared TeX in {folder} are damaged.")


def test_a_file_that_the_manifest_does_not_name_is_not_used(folder: Path, work: Path) -> None:
    svg = b"<svg>foreign</svg>"
    file_of(folder, hashlib.sha256(svg).hexdigest()).write_bytes(svg)
    prepared, _ = load(folder, HERE)
    assert len(prepared) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"manim": "0.23.0"}, "it was made with manim '0.22.0', and '0.23.0' is here"),
        ({"latex": "pdfTeX 2"}, "it was made with latex 'pdfTeX 1', and 'pdfTeX 2' is here"),
        ({"dvisvgm": "dvisvgm 4"}, "it was made with dvisvgm 'dvisvgm 3', and 'dvisvgm 4' is here"),
        ({"manim": "none"}, "it was made with manim '0.22.0', and 'none' is here"),
    ],
)
def test_a_folder_of_other_versions_is_not_used(folder: Path, change: dict[str, str], reason: str) -> None:
    prepared, complaint = load(folder, HERE | change)
    assert len(prepared) == 0
    assert complaint == (
        f"The prepared TeX in {folder} is not used: {reason}. Run: python -m manimcast.engine.prepare {folder}"
    )


@pytest.mark.parametrize("content", [b"new class", None])
def test_a_folder_is_not_used_when_latex_reads_other_files_now(folder: Path, content: bytes | None) -> None:
    read = folder.parent / "standalone.cls"
    read.unlink()
    if content is not None:
        read.write_bytes(content)
    prepared, complaint = load(folder, HERE)
    assert len(prepared) == 0
    assert complaint is not None
    assert f"LaTeX's {read} is not the file that it was made with" in complaint


def test_a_host_without_latex_uses_what_another_prepared(folder: Path) -> None:
    (folder.parent / "standalone.cls").unlink()
    prepared, complaint = load(folder, HERE | {"latex": "none", "dvisvgm": "none"})
    assert (len(prepared), complaint) == (2, None)


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"layout": 2, "versions": {}, "inputs": {}, "svgs": {}}', b'{"svgs": 1}']
)
def test_a_manifest_that_cannot_be_read_says_so(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    prepared, complaint = load(folder, HERE)
    assert len(prepared) == 0
    assert complaint is not None
    assert "its manifest is not one of this version" in complaint


def test_a_folder_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    prepared, complaint = load(missing, HERE)
    assert len(prepared) == 0
    assert complaint == f"No prepared TeX is in {missing}. Run: python -m manimcast.engine.prepare {missing}"
