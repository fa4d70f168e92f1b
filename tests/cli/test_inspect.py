from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from manimcast.cli.timeline import show
from manimcast.inspection import (
    Estimate,
    Inspection,
    Play,
    SceneInspection,
    SceneWarning,
    Subcaption,
    WarningCode,
)
from manimcast.spec import ErrorCode, SceneError, Section
from tests.cli.conftest import CIRCLE, Run

TWO = (
    CIRCLE
    + "\n\nclass Wrong(Ring):\n    def construct(self):\n        super().construct()\n        self.play(Nope())\n"
)


def test_the_timeline_of_a_file(manimcast: Run, tmp_path: Path) -> None:
    done = manimcast("inspect", "scene.py", "-q", "low")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert lines[0] == ["Ring:", "0.60", "s,", "9", "frames,", "854x480,", "15", "frames", "a", "second"]
    assert ["0", "0.00", "0.40", "6", "4", "Create"] in lines
    assert ["1", "0.40", "0.20", "3", "5", "Wait"] in lines
    assert "A render takes about" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scene.py"]


def test_json_is_what_the_service_answers(manimcast: Run, tmp_path: Path) -> None:
    (tmp_path / "scene.py").write_text(TWO)
    done = manimcast("inspect", "scene.py", "-q", "low", "--json")
    assert done.returncode == 1, done.stderr
    inspection = Inspection.model_validate_json(done.stdout)
    assert inspection.scenes == ("Ring", "Wrong")
    good, wrong = inspection.reports
    assert (good.frames, good.error) == (9, None)
    assert wrong.error is not None
    assert (wrong.error.line, wrong.frames) == (11, 9)


def test_one_scene_from_standard_input(manimcast: Run) -> None:
    done = manimcast("inspect", "-", "Ring", "--fps", "10", "--json", stdin=TWO)
    assert done.returncode == 0, done.stderr
    assert [report["frames"] for report in json.loads(done.stdout)["reports"]] == [6]


def test_params_reach_the_scene(manimcast: Run, tmp_path: Path) -> None:
    code = "class Long(Scene):\n    def construct(self):\n        self.wait(PARAMS['seconds'] + len(PARAMS['name']))\n"
    (tmp_path / "scene.py").write_text(code)
    (tmp_path / "ada.json").write_text('{"name": "Ada", "seconds": 9}')
    for given in ("ada.json", '{"name": "Ada"}'):
        done = manimcast("inspect", "scene.py", "--fps", "10", "--params", given, "--param", "seconds=1", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["reports"][0]["frames"] == 40


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.py"], "cannot read nothing.py: No such file"),
        (["scene.py", "-q", "best"], "'best' is not one of low, medium"),
        (["scene.py", "--fps", "1000"], "--fps: Input should be less"),
        (["scene.py", "--param", "name"], "--param: 'name' is not NAME=VALUE"),
        (["scene.py", "--params", "[1]"], "--params: cannot read [1]: No such file"),
        (["scene.py", "--params", "{1}"], "--params: not JSON"),
        (["scene.py", "--param", "a=NaN"], "--params: params.a must be a finite number"),
        (["scene.py", "--timeout", "0"], "--timeout: Input should be greater"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what(manimcast: Run, arguments: list[str], told: str) -> None:
    done = manimcast("inspect", *arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def shown(inspection: Inspection) -> str:
    text = io.StringIO()
    show(inspection, Console(file=text, width=100, highlight=False, soft_wrap=True))
    return text.getvalue()


def test_everything_that_is_known_is_shown() -> None:
    report = SceneInspection(
        scene="Demo",
        width=854,
        height=480,
        frame_rate=15,
        frames=45,
        duration=3,
        animations=3,
        plays=(
            Play(index=0, kind="Create", start=0, duration=1, frames=15, line=4),
            Play(index=1, kind="Wait", start=1, duration=0, frames=0, skipped=True),
        ),
        sections=(Section(name="proof", type="default.normal", start=0, duration=3),),
        subcaptions=(Subcaption(text="two\nlines", start=0.5, end=1),),
        sounds=2,
        warnings=(SceneWarning(code=WarningCode.off_screen, message="Circle is outside.", line=7, hint="Look."),),
        estimate=Estimate(seconds=1.5, usd_estimate=0.002, basis=""),
        seconds=0.1,
    )
    text = shown(Inspection(scenes=("Demo",), reports=(report,)))
    for expected in (
        "Demo: 3.00 s, 45 frames, 854x480, 15 frames a second",
        "# proof",
        "skipped",
        "... and 1 more",
        "0.50-1.00  two lines",
        "Sounds: 2",
        "about 1.5 s, $0.002; the dry run took 0.10 s",
        "! line 7: Circle is outside. Look.",
    ):
        assert expected in text


def test_errors_are_shown_and_nothing_drives_the_terminal() -> None:
    error = SceneError(code=ErrorCode.exception, message="no [bold]such\x1b[31m thing")
    text = shown(Inspection(error=error))
    assert "no [bold]such" in text
    assert "\x1b" not in text
    reports = (SceneInspection(scene="A", error=error), SceneInspection(scene="B"))
    text = shown(Inspection(scenes=("A", "B", "C"), reports=reports))
    assert "no [bold]such" in text
    assert "Not run: C" in text
