from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from manimcast.cli.display import Bars, Display, JsonLines, Lines, summary
from manimcast.cli.output import Saved
from manimcast.spec import Drawing, ErrorCode, Progress, SceneError
from manimcast.wire import Failed, Finished, Hello, Logged, Message, Playing, Progressed, Started
from tests.cli.reports import report

SAVED = Saved(Path("Ring.mp4"), None, (), replaced=False)


def progressed(
    index: int, percent: int, frames: int, *, overall: float | None = None, total: int | None = None
) -> Message:
    progress = Progress(
        animation_index=index, animation_percent=percent, percent=overall, frames_done=frames, frames_total=total
    )
    return Progressed(progress=progress)


MESSAGES: list[Message] = [
    Hello(),
    Started(scene="Ring", width=854, height=480, frame_rate=15),
    Playing(index=0, kind="Create(Circle)", duration=0.4),
    progressed(0, 0, 0),
    progressed(0, 50, 3, overall=30.0, total=9),
    progressed(0, 100, 6, overall=67.0, total=9),
    Logged(level="debug", text="a detail"),
    Logged(level="warning", text="The scene is dull."),
    Playing(index=1, kind="Wait", duration=None),
    progressed(1, 100, 9, overall=100.0, total=9),
]


def console(*, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=terminal,
        width=100,
        highlight=False,
        soft_wrap=True,
        color_system=None,
        _environ={"TERM": "xterm"},  # whatever terminal the tests run on
    )


def written(to: Console) -> str:
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


def play(display: Display, made: Path) -> None:
    with display:
        for message in MESSAGES:
            display.show(message)
        finished = report(made)
        display.show(Finished(report=finished))
        display.saved(finished, SAVED)


def test_lines_tell_each_animation_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = console(terminal=False)
    play(Lines(target), tmp_path)
    assert written(target).splitlines() == [
        "Ring: 854x480, 15 frames a second",
        "  Animation 0: Create(Circle), 0.4 s",
        "The scene is dull.",
        "  Animation 1: Wait  (6 frames so far, 67 % done)",
        "Ring: 0.60 s, 9 frames, 854x480, 0 KB",
    ]
    assert capsys.readouterr().out == "Ring.mp4\n"


def test_bars_leave_one_full_bar_for_each_animation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = console(terminal=True)
    play(Bars(target), tmp_path)
    shown = written(target)
    for title in ("Animation 0: Create(Circle), 0.4 s", "Animation 1: Wait"):
        assert any(title in line and "100%" in line for line in shown.splitlines())
    assert "Overall" in shown
    assert "9/9 frames" in shown
    assert "The scene is dull." in shown
    assert capsys.readouterr().out == "Ring.mp4\n"


def test_bars_do_not_need_to_know_the_whole(tmp_path: Path) -> None:
    target = console(terminal=True)
    with Bars(target) as bars:
        bars.show(Started(scene="Ring", width=854, height=480, frame_rate=15))
        bars.show(Playing(index=0, kind="Create", duration=None))
        bars.show(progressed(0, 10, 3))
    assert "3 frames" in written(target)


def test_warnings_that_were_not_logged_are_told_at_the_end(tmp_path: Path) -> None:
    target = console(terminal=False)
    with Lines(target) as lines:
        lines.saved(report(tmp_path), SAVED)
    assert written(target).splitlines()[0] == "The scene is dull."


@pytest.mark.parametrize("terminal", [True, False])
def test_failures_are_explained(terminal: bool) -> None:
    target = console(terminal=terminal)
    with Bars(target) if terminal else Lines(target) as display:
        display.show(Hello())
        display.show(Failed(error=SceneError(code=ErrorCode.exception, message="boom", hint="do not")))
    shown = written(target)
    assert "boom" in shown
    assert "Hint: do not" in shown


def test_json_is_the_wire_and_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play(JsonLines(), tmp_path)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["type"] for event in events] == [message.type for message in MESSAGES] + ["finished"]
    assert events[0]["scene"] is None
    assert {event["scene"] for event in events[1:]} == {"Ring"}
    assert events[4]["progress"]["percent"] == 30.0
    assert events[-1]["report"]["frames"] == 9
    assert events[-1]["output"] == {"video": str(Path("Ring.mp4").absolute()), "subtitles": None, "sections": []}


def test_the_summary_names_what_else_was_written(tmp_path: Path) -> None:
    files = Saved(Path("a.mp4"), Path("a.srt"), (Path("a-sections/one.mp4"),), replaced=True)
    shown = summary(report(tmp_path), files)
    assert shown.endswith("; replaced the file of that name; subtitles in a.srt; 1 sections in a-sections")
    assert "picture" in summary(report(tmp_path, ending="png"), SAVED)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"drawing": Drawing(segments=9, processes=1)}, []),
        ({"drawing": Drawing(segments=9, processes=4, forked=3)}, ["drawn by 4 processes"]),
        (
            {"drawing": Drawing(segments=9, processes=1, alone_because="the scene reads frames")},
            ["drawn by one process, because the scene reads frames"],
        ),
        ({"animations": 41, "animations_reused": 38}, ["38 of 41 animations reused"]),
    ],
)
def test_the_summary_says_how_it_was_drawn_where_that_is_news(
    tmp_path: Path, changes: dict[str, object], told: list[str]
) -> None:
    shown = summary(report(tmp_path).model_copy(update=changes), SAVED)
    assert shown.split("; ")[1:] == told
