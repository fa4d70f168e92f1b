"""Filling a folder with typeset TeX, and renders that read from it: same pixels, and no LaTeX."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from manimcast import wire
from manimcast.engine.prepare import UNFINISHED
from manimcast.engine.prepared import MANIFEST
from manimcast.executors.local import LocalExecutor
from manimcast.executors.modal.image import PREPARE
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from tests.engine.in_child import ROOT, in_child
from tests.patience import PATIENCE

TOOLS = "/usr/bin:/bin"
COUNTER = """
class Demo(Scene):
    def construct(self):
        line = NumberLine([-2, 2], length=6, include_numbers=True)
        counter = DecimalNumber(-1234.5, include_sign=True).shift(UP)
        self.add(line, counter, MathTex("7").shift(2 * UP), Variable(3, "x").shift(2 * DOWN))
        self.play(ChangeDecimalToValue(counter, 6789.01), run_time=0.5)
"""
BOLD = """
class Demo(Scene):
    def construct(self):
        template = TexTemplate()
        template.add_to_document("\\\\boldmath")
        self.add(MathTex("7", tex_template=template), MathTex("8").shift(UP))
"""
OWN_STYLE = """
from pathlib import Path
class Demo(Scene):
    def construct(self):
        Path("standalone.cfg").write_text("\\\\AtBeginDocument{\\\\boldmath}")
        self.add(MathTex("7"))
"""
RENDER = """
import hashlib
from manimcast.engine.warm import warm
complaint = warm(Path({prepared!r}) if {prepared!r} else None)
(HERE / "job").mkdir()
os.chdir("job")
spec = RenderSpec(code={code!r}, resolution={{"width": 256, "height": 144}}, frame_rate=10)
watcher = Watcher(lambda pixels, repeat: [hashlib.sha256(pixels.tobytes()).hexdigest(), repeat])
try:
    render(spec, LIMITS, Path.cwd(), lambda message: None, observe=watcher)
    answer([complaint, watcher.seen, None])
except SceneFailure as failure:
    answer([complaint, watcher.seen, failure.error.message])
"""


def run(folder: Path, *arguments: str, path: str = TOOLS, package: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command that fills ``folder``."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "manimcast.engine.prepare", str(folder), *arguments],
        env={"PATH": path, "HOME": str(folder.parent), "PYTHONPATH": str(package), "MANIMCAST_NATIVE": "off"},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what counters are made of, filled by no more of the package than the image copies for that."""
    package = tmp_path_factory.mktemp("package")
    for name in PREPARE:
        target = package / "manimcast" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "manimcast" / name, target)
    folder = tmp_path_factory.mktemp("prepared") / "tex"
    done = run(folder, "digits", package=package)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


@pytest.fixture
def nothing(tmp_path: Path) -> str:
    """A PATH with no program."""
    (tmp_path / "bin").mkdir()
    return str(tmp_path / "bin")


def frames(folder: Path, code: str, prepared: Path | None, *, path: str = TOOLS) -> Any:
    """The complaint about ``prepared``, the frames of a scene, and what went wrong."""
    folder.mkdir()
    return in_child(folder, RENDER.format(prepared=str(prepared or ""), code=code), path=path)


def test_frames_are_the_same_and_no_latex_is_run(tmp_path: Path, prepared: Path, nothing: str) -> None:
    plain = frames(tmp_path / "plain", COUNTER, None)
    assert plain[0] is None
    assert plain[2] is None
    assert len(plain[1]) >= 5
    assert frames(tmp_path / "with", COUNTER, prepared) == plain
    assert frames(tmp_path / "without latex", COUNTER, prepared, path=nothing) == plain


def test_without_the_folder_such_a_scene_needs_latex(tmp_path: Path, nothing: str) -> None:
    assert "No such file or directory: 'latex'" in frames(tmp_path / "job", COUNTER, None, path=nothing)[2]


@pytest.mark.parametrize("code", [BOLD, OWN_STYLE], ids=["template", "file"])
def test_what_would_look_different_is_typeset_by_latex(tmp_path: Path, prepared: Path, nothing: str, code: str) -> None:
    assert frames(tmp_path / "with", code, prepared) == frames(tmp_path / "plain", code, None)
    assert "No such file or directory: 'latex'" in frames(tmp_path / "none", code, prepared, path=nothing)[2]


def test_what_latex_leaves_behind_is_there_for_scenes_that_ask_to_keep_it(tmp_path: Path, prepared: Path) -> None:
    code = """
class Demo(Scene):
    def construct(self):
        config.no_latex_cleanup = True
        self.add(MathTex("7"))
        raise ValueError(sorted(path.suffix for path in config.get_dir("tex_dir").iterdir()))
"""
    assert "'.aux', '.dvi', '.log', '.svg', '.tex'" in frames(tmp_path / "job", code, prepared)[2]


def test_a_folder_of_another_version_is_left_alone_with_a_warning(tmp_path: Path, prepared: Path, nothing: str) -> None:
    other = tmp_path / "other"
    shutil.copytree(prepared, other)
    manifest = json.loads((other / MANIFEST).read_text())
    manifest["versions"]["manim"] = "0.21.0"
    (other / MANIFEST).unlink()
    (other / MANIFEST).write_text(json.dumps(manifest))
    complaint, _, error = frames(tmp_path / "job", COUNTER, other, path=nothing)
    assert "is not used: it was made with manim '0.21.0', and '0.22.0' is here" in complaint
    assert "'latex'" in error


def render_in_service(
    prepared: Path, data: Path, monkeypatch: pytest.MonkeyPatch, path: str, codes: list[str]
) -> list[wire.Message]:
    """Render ``codes`` one after the other in children of one warm process; return the last message of each."""
    monkeypatch.setenv("PATH", path)

    async def work() -> list[wire.Message]:
        executor = LocalExecutor(
            Settings(_env_file=None, data_dir=data, render_memory=512, sandbox="off", prepared_tex=prepared)
        )
        await executor.start()
        last = []
        try:
            for number, code in enumerate(codes):
                into = data / f"out{number}"
                await asyncio.to_thread(into.mkdir, parents=True)
                spec = RenderSpec(code=code, resolution={"width": 128, "height": 72}, frame_rate=10)
                stream = executor.render(spec, render_id=f"r{number}", into=into, timeout=PATIENCE)
                async with aclosing(stream) as messages:
                    last.append([message async for message in messages][-1])
        finally:
            await executor.stop()
        return last

    return asyncio.run(work())


def test_confined_renders_are_given_it_and_cannot_change_it_for_each_other(
    tmp_path: Path, prepared: Path, nothing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil = """
from manimcast.engine.patches import tex
tex._prepared._svgs.clear()
class Demo(Scene):
    def construct(self):
        self.add(MathTex("7"))
"""
    before = {path.name: path.read_bytes() for path in prepared.iterdir()}
    codes = [COUNTER, spoil, COUNTER]
    first, spoilt, again = render_in_service(prepared, tmp_path / "data", monkeypatch, nothing, codes)
    assert isinstance(first, wire.Finished), first
    assert isinstance(spoilt, wire.Failed), spoilt
    assert isinstance(again, wire.Finished), again
    assert {path.name: path.read_bytes() for path in prepared.iterdir()} == before


def test_the_service_warns_of_a_folder_that_it_cannot_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ring = "class Demo(Scene):\n    def construct(self):\n        self.add(Circle())\n"
    with caplog.at_level(logging.WARNING):
        (last,) = render_in_service(tmp_path / "missing", tmp_path / "data", monkeypatch, TOOLS, [ring])
    assert isinstance(last, wire.Finished), last
    assert [record.getMessage() for record in caplog.records] == [
        f"No prepared TeX is in {tmp_path / 'missing'}. Run: python -m manimcast.engine.prepare {tmp_path / 'missing'}"
    ]


def failing_latex(folder: Path, runs: int) -> str:
    """Return a PATH whose LaTeX notes each formula that it is given, and fails after ``runs`` of them."""
    folder.mkdir()
    log = folder / "log"
    log.touch()
    script = f"""#!/bin/sh
case "$*" in
    *-output-directory*)
        [ "$(wc -l < {log})" -lt {runs} ] || exit 1
        echo "$*" >> {log} ;;
esac
exec /usr/bin/latex "$@"
"""
    program = folder / "latex"
    program.write_text(script)
    program.chmod(0o755)
    return f"{folder}:{TOOLS}"


def formulas(folder: Path) -> int:
    """How many formulas that LaTeX was given."""
    return len((folder / "log").read_text().splitlines())


def test_an_interrupted_run_keeps_what_it_has_and_the_next_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "tex"
    failed = run(folder, "vectors", "--jobs", "1", path=failing_latex(tmp_path / "failing", 5))
    assert failed.returncode == 1
    assert failed.stderr == (
        "Cannot prepare TeX: MathTex('\\\\vec{\\\\textbf{f}}'): LatexError: "
        "LaTeX cannot typeset '\\vec{\\textbf{f}}': latex failed without saying why\n"
    )
    assert not (folder / MANIFEST).exists()
    assert len(json.loads((folder / UNFINISHED).read_text())["svgs"]) == 5

    done = run(folder, "vectors", "--jobs", "1", path=failing_latex(tmp_path / "working", 1000))
    assert done.returncode == 0, done.stderr
    assert "26 of 26 done, 26 documents" in done.stdout
    assert formulas(tmp_path / "working") == 21
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".svg") == [MANIFEST]
    assert all(path.stat().st_mode & 0o777 == 0o444 for path in folder.iterdir())


def test_a_damaged_file_is_made_anew_and_more_can_be_added(tmp_path: Path, prepared: Path) -> None:
    folder = tmp_path / "tex"
    shutil.copytree(prepared, folder)
    whole = {path.name: path.read_bytes() for path in prepared.iterdir()}
    damaged = next(path for path in folder.iterdir() if path.suffix == ".svg")
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[:100])
    done = run(folder, "digits", "tables", "--jobs", "1", path=failing_latex(tmp_path / "latex", 1000))
    assert done.returncode == 0, done.stderr
    assert formulas(tmp_path / "latex") == 1  # tables are made of digits
    assert damaged.read_bytes() == whole[damaged.name]


def test_what_another_version_made_is_thrown_away(tmp_path: Path, prepared: Path) -> None:
    folder = tmp_path / "tex"
    shutil.copytree(prepared, folder)
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).write_text(text.replace("0.22.0", "0.21.0"))
    done = run(folder, "tables")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["versions"]["manim"] == "0.22.0"
    assert len(manifest["svgs"]) < len(json.loads(text)["svgs"])
    named = {f"{digest}.svg" for digest in manifest["svgs"].values()}
    assert {path.name for path in folder.iterdir()} == {MANIFEST, *named}


def test_the_command_says_what_is_missing(tmp_path: Path, nothing: str) -> None:
    done = run(tmp_path / "tex", path=nothing)
    assert (done.returncode, done.stderr) == (
        1,
        "Cannot prepare TeX: Not installed here, or not on the PATH: latex, dvisvgm.\n",
    )
    done = run(tmp_path / "tex", "digit")
    assert done.returncode == 1
    assert done.stderr.startswith("Cannot prepare TeX: There is no group digit. Groups: digits, units, ")


def test_two_runs_do_not_fill_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tex"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        done = run(folder, "digits")
    finally:
        os.close(descriptor)
    assert (done.returncode, done.stderr) == (1, f"Cannot prepare TeX: Another run is filling {folder}.\n")


@pytest.mark.full
@pytest.mark.timeout(4000)
def test_everything_is_prepared_that_manims_own_classes_typeset(tmp_path: Path, nothing: str) -> None:
    done = run(tmp_path / "tex")
    assert done.returncode == 0, done.stderr
    code = """
class Demo(Scene):
    def construct(self):
        for axes in (Axes(), ThreeDAxes(), NumberPlane()):
            self.add(axes.add_coordinates(), axes.get_axis_labels())
        self.add(ComplexPlane().add_coordinates(), PolarPlane().add_coordinates())
        self.add(BarChart([1, 2, 3]).get_bar_labels(), Matrix([[1, 2], [3, 4], ["x", "y"]]))
        self.add(IntegerTable([[1, 2], [3, 4]], row_labels=[MathTex("x"), MathTex("y")]))
        self.add(Angle(Line(), Line(ORIGIN, UP)), MathTex(r"\\theta"), DecimalNumber(0.5, unit=r"\\%"))
        self.add(Graph([1, 2], [(1, 2)], labels=True), BraceLabel(Square(), "x"))
"""
    assert frames(tmp_path / "job", code, tmp_path / "tex", path=nothing)[2] is None
