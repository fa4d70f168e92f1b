from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.assets.samples import SVG
from tests.cli.conftest import CIRCLE, Run, command, environment
from tests.patience import PATIENCE

TWO = CIRCLE + "\n\nclass Second(Ring):\n    pass\n"

FAILS = """
class Wrong(Scene):
    def construct(self):
        self.play(Create(Circle()), run_time=0.2)
        self.play(Create(Circl()))
"""

ENDLESS = """
class Endless(Scene):
    def construct(self):
        while True:
            self.play(Create(Circle()), run_time=0.2)
"""


def left_over(folder: Path) -> list[str]:
    """Everything in ``folder`` but the scene, hidden files as well."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != "scene.py")


# ------------------------------------------------------------------------------------- wrong usage, told at once


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.py"], "cannot read nothing.py: No such file"),
        (["scene.py", "-q", "best"], "'best' is not one of low, medium"),
        (["scene.py", "--resolution", "1280"], "not a size such as 1280x720"),
        (["scene.py", "--resolution", "8x8"], "--resolution: Input should be greater"),
        (["scene.py", "--resolution", "161x91"], "must have even width and height"),
        (["scene.py", "--fps", "1000"], "--fps: Input should be less"),
        (["scene.py", "--background", "no colour"], "--background: must be #rgb"),
        (["scene.py", "--format", "avi"], "'avi' is not one of"),
        (["scene.py", "-o", "film.avi"], "the ending .avi is none of"),
        (["scene.py", "--transparent", "--format", "mp4"], "mp4 cannot be transparent"),
        (["scene.py", "--seed", "-1"], "--seed: Input should be greater"),
        (["scene.py", "Ring", "--all"], "name scenes or say --all, not both"),
        (["scene.py", "Ring", "Other", "-o", "film.mp4"], "several scenes: give a folder"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what(
    manimcast: Run, tmp_path: Path, arguments: list[str], told: str
) -> None:
    done = manimcast("render", *arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert left_over(tmp_path) == []


def test_several_scenes_and_none_named_lists_them(manimcast: Run, tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(TWO)
    done = manimcast("render", "scene.py")
    assert done.returncode == 2
    assert "scene.py has 2 scenes: Ring, Second" in done.stderr
    assert "--all" in done.stderr


def test_wrong_settings_are_named(manimcast: Run) -> None:
    done = manimcast("render", "scene.py", RENDER_TIMEOUT="soon")
    assert done.returncode == 2
    assert "RENDER_TIMEOUT" in done.stderr


def test_an_executor_that_cannot_work_is_exit_code_3_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(CIRCLE)
    # Enough address space for the command line, not enough to load manim.
    script = 'ulimit -v 350000 && exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command("render", "scene.py", "-q", "low")],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("manimcast: rendering is not possible here: ")
    assert "manimcast doctor" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert left_over(tmp_path) == []


# ------------------------------------------------------------------------------------------------- real renders


def test_the_only_scene_becomes_a_video_and_nothing_else_is_left(manimcast: Run, tmp_path: Path) -> None:
    done = manimcast("render", "scene.py", "-q", "low")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Ring.mp4\n"
    assert "Animation 0: " in done.stderr
    assert "Animation 1: " in done.stderr
    assert "Ring: 0.60 s, 9 frames, 854x480" in done.stderr
    assert left_over(tmp_path) == ["Ring.mp4"]
    assert (tmp_path / "Ring.mp4").read_bytes()[4:8] == b"ftyp"


def test_with_a_data_folder_animations_are_reused(manimcast: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = manimcast("render", "scene.py", "-q", "low", DATA_DIR=str(kept))
    again = manimcast("render", "scene.py", "-q", "low", DATA_DIR=str(kept))
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "reused" not in first.stderr
    assert "2 of 2 animations reused" in again.stderr


def test_all_scenes_go_one_after_the_other_into_a_folder(manimcast: Run, tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(TWO)
    done = manimcast("render", "scene.py", "--all", "-q", "l", "-o", "films/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["films/Ring.mp4", "films/Second.mp4"]


def test_code_from_standard_input_and_a_format_by_name(manimcast: Run, tmp_path: Path) -> None:
    done = manimcast("render", "-", "-o", "last.png", "--resolution", "320x180", stdin=CIRCLE)
    assert done.returncode == 0, done.stderr
    picture = (tmp_path / "last.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (320, 180)


def test_a_failing_scene_is_explained_and_the_old_video_stays(manimcast: Run, tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(FAILS)
    (tmp_path / "Wrong.mp4").write_text("the old one")
    done = manimcast("render", "scene.py", "-q", "low")
    assert done.returncode == 1
    assert done.stdout == ""
    for part in (
        "line 5",
        "animation 1",
        "NameError: name 'Circl' is not defined",
        "^^^^^",
        "Circle",
        'File "scene.py"',
    ):
        assert part in done.stderr, done.stderr
    assert (tmp_path / "Wrong.mp4").read_text() == "the old one"
    assert left_over(tmp_path) == ["Wrong.mp4"]


def test_one_failing_scene_does_not_keep_the_others_from_being_rendered(manimcast: Run, tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(FAILS + CIRCLE)
    done = manimcast("render", "scene.py", "--all", "-q", "low")
    assert done.returncode == 1
    assert "1 of 2 scenes failed" in done.stderr
    assert left_over(tmp_path) == ["Ring.mp4"]


def test_a_scene_that_is_not_there_is_answered_with_those_that_are(manimcast: Run) -> None:
    done = manimcast("render", "scene.py", "Rung", "-q", "low")
    assert done.returncode == 1
    assert "Ring" in done.stderr


def test_the_time_limit_is_an_option(manimcast: Run, tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(ENDLESS)
    done = manimcast("render", "scene.py", "-q", "low", "--timeout", "2")
    assert done.returncode == 1
    assert "took too long" in done.stderr
    assert left_over(tmp_path) == []


def test_json_lines_end_with_the_report_or_the_error(manimcast: Run, tmp_path: Path) -> None:
    done = manimcast("render", "scene.py", "-q", "low", "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["type"] for event in events][:2] == ["hello", "started"]
    assert events[-1]["type"] == "finished"
    assert events[-1]["report"]["frames"] == 9
    assert events[-1]["output"]["video"] == str(tmp_path / "Ring.mp4")
    (tmp_path / "scene.py").write_text(FAILS)
    done = manimcast("render", "scene.py", "-q", "low", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["error"]["exception"] == "NameError"


def test_sections_and_subtitles_lie_beside_the_video(manimcast: Run, tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(
        """
class Parts(Scene):
    def construct(self):
        self.next_section("one")
        self.add_subcaption("Hello", duration=0.2)
        self.play(Create(Circle()), run_time=0.2)
        self.next_section("two")
        self.wait(0.2)
"""
    )
    done = manimcast("render", "scene.py", "-q", "low", "--sections")
    assert done.returncode == 0, done.stderr
    assert {"Parts.mp4", "Parts.vtt", "Parts-sections"} <= set(left_over(tmp_path))
    assert len(list((tmp_path / "Parts-sections").glob("*.mp4"))) == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_render_is_cancelled_and_leaves_nothing(tmp_path: Path, number: int, code: int) -> None:
    (tmp_path / "scene.py").write_text(ENDLESS)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        command("render", "scene.py", "-q", "low", "--json"),
        cwd=tmp_path,
        env=environment() | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if json.loads(line)["type"] == "progress":
                break
        process.send_signal(number)
        process.stdout.read()
        told = process.stderr.read()
    assert process.returncode == code, told
    assert "the render was cancelled" in told
    assert "Traceback" not in told
    assert left_over(tmp_path) == ["scratch"]


def test_on_a_terminal_there_are_bars(tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(CIRCLE)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command("render", "scene.py", "-q", "low"),
        cwd=tmp_path,
        env=environment() | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:  # the other side has closed
                break
            if not data:
                break
            shown += data
        os.close(ours)
    assert process.returncode == 0, shown.decode()
    assert "━" in shown.decode()
    assert "Overall" in shown.decode()
    assert "100%" in shown.decode()


# ------------------------------------------------------------------------------------- assets


def test_assets_lie_beside_the_scene(manimcast: Run, tmp_path: Path) -> None:
    code = (
        "import shapes\nclass Ring(Scene):\n    def construct(self):\n"
        "        self.add(SVGMobject('art/box.svg'), shapes.ring())\n        self.wait(PARAMS['seconds'])\n"
    )
    (tmp_path / "scene.py").write_text(code)
    (tmp_path / "shapes.py").write_text("def ring():\n    return Circle()\n")
    (tmp_path / "box.svg").write_bytes(SVG)
    given = ["--asset", "shapes.py", "--asset", "art/box.svg=box.svg", "--param", "seconds=0.2"]
    done = manimcast("render", "scene.py", "--fps", "10", "-q", "low", *given)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "Ring.mp4").exists()
    done = manimcast("inspect", "scene.py", "--fps", "10", "--json", *given)
    assert json.loads(done.stdout)["reports"][0]["frames"] == 2, done.stdout


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nothing.png", "--asset: cannot read nothing.png: No such file"),
        ("scene.py=scene.py", "--asset: 'scene.py' cannot be the name of a file: that is the service's own"),
        ("a.png=scene.py", "--asset: 'a.png' is not what it is called: it is no .png"),
        ("../a.py=scene.py", "--asset: '../a.py' cannot be the name"),
    ],
)
def test_a_wrong_asset_is_exit_code_2(manimcast: Run, given: str, told: str) -> None:
    done = manimcast("render", "scene.py", "--asset", given)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
