"""Show a render while it runs, from its wire messages: bars on a terminal, lines elsewhere, JSON for programs.

Bars and lines go to standard error and JSON to standard output, so that standard output holds only results.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from manimcast.cli.outcome import printable
from manimcast.cli.output import Saved
from manimcast.cli.problem import scene_error_text
from manimcast.spec import RenderReport
from manimcast.wire import Failed, Finished, Hello, Logged, Message, Played, Playing, Progressed, Started

LOG_STYLES = {"debug": "dim", "info": "dim", "warning": "yellow", "error": "red"}


class Display(Protocol):
    """Shows one render after the other. Used as a context manager around each."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, message: Message) -> None:
        """Show what the render says; all of it, in order."""

    def saved(self, report: RenderReport, files: Saved) -> None:
        """Show where the finished files lie."""


class Lines:
    """One line for each animation, for logs and pipes."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._overall = ""
        self._logged: set[str] = set()

    def __enter__(self) -> Self:
        self._overall = ""
        self._logged.clear()
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, message: Message) -> None:
        match message:
            case Started():
                self._print(_headline(message))
            case Playing():
                self._print(f"  {_title(message)}{self._overall}")
            case Progressed(progress=progress):
                known = f", {progress.percent:.0f} % done" if progress.percent is not None else ""
                # A picture's frames are not counted: all but the last are left out.
                self._overall = f"  ({progress.frames_done} frames so far{known})" if progress.frames_done else ""
            case Logged(level=level, text=text) if level != "debug":
                self._logged.add(text)
                self._print(text.rstrip(), LOG_STYLES[level])
            case Failed(error=error):
                self.console.print(scene_error_text(error))
            case Hello() | Played() | Logged() | Finished():
                pass  # saved() tells the end

    def saved(self, report: RenderReport, files: Saved) -> None:
        for warning in report.warnings:
            if not any(text.startswith(warning) for text in self._logged):
                self._print(warning, LOG_STYLES["warning"])
        self._print(summary(report, files))
        print(files.video, flush=True)

    def _print(self, text: str, style: str = "") -> None:
        self.console.print(Text(printable(text), style=style))


class Bars(Lines):
    """A bar for each animation, and one for the whole render, on a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(console)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        columns = TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), TaskProgressColumn()
        self._animation = Progress(*columns, console=self.console)
        self._whole = Progress(
            *columns, TextColumn("{task.fields[frames]}", markup=False), TimeElapsedColumn(), console=self.console
        )
        self._whole_task = self._whole.add_task("Starting", total=None, frames="")
        self._live = Live(Group(self._animation, self._whole), console=self.console, transient=True)
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def show(self, message: Message) -> None:
        match message:
            case Playing():
                self._close_bar()
                self._animation.add_task(printable(_title(message)), total=100)
            case Progressed(progress=progress):
                for task in self._animation.task_ids:
                    self._animation.update(task, completed=progress.animation_percent)
                of = f"/{progress.frames_total}" if progress.frames_total is not None else ""
                self._whole.update(
                    self._whole_task,
                    description="Overall",
                    frames=f"{progress.frames_done}{of} frames",
                    total=None if progress.percent is None else 100,
                    completed=progress.percent or 0,
                )
            case Finished():
                self._close_bar()
                self.__exit__()
            case Failed():
                self.__exit__()
                super().show(message)
            case _:
                super().show(message)

    def _close_bar(self) -> None:
        """Leave the bar of the animation that ended on the screen, above the live part."""
        for task in list(self._animation.task_ids):
            self._animation.update(task, completed=100)
            full = self._animation.make_tasks_table(self._animation.tasks)
            self._animation.remove_task(task)
            self.console.print(full)


class JsonLines:
    """The wire messages themselves, one JSON object a line, each with the scene that it is about."""

    def __enter__(self) -> Self:
        self._scene: str | None = None
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, message: Message) -> None:
        if isinstance(message, Started):
            self._scene = message.scene
        if not isinstance(message, Finished):  # saved() prints that one, with the files in it
            self._write(message.model_dump(mode="json"))

    def saved(self, report: RenderReport, files: Saved) -> None:
        paths = {
            "video": str(files.video.absolute()),
            "subtitles": str(files.subtitles.absolute()) if files.subtitles else None,
            "sections": [str(section.absolute()) for section in files.sections],
        }
        self._write({**Finished(report=report).model_dump(mode="json"), "output": paths})

    def _write(self, event: dict[str, object]) -> None:
        print(json.dumps({"scene": self._scene, **event}), flush=True)


def choose(*, as_json: bool) -> Display:
    """Return the display that fits the request and standard error."""
    if as_json:
        return JsonLines()
    return Bars() if sys.stderr.isatty() else Lines()


def summary(report: RenderReport, files: Saved) -> str:
    """Return one line that says what was made."""
    what = "picture" if report.format == "png" else f"{report.duration:.2f} s, {report.frames} frames"
    line = f"{report.scene}: {what}, {report.width}x{report.height}, {_size(report.video.bytes)}"
    more = _how_drawn(report)
    if files.replaced:
        more.append("replaced the file of that name")
    if files.subtitles:
        more.append(f"subtitles in {files.subtitles}")
    if files.sections:
        more.append(f"{len(files.sections)} sections in {Path(files.sections[0]).parent}")
    return "; ".join([line, *more])


def _how_drawn(report: RenderReport) -> list[str]:
    """Return what a person wants to know of how it was drawn: what was not, and why it took as long as it did."""
    told = []
    if report.animations_reused:
        told.append(f"{report.animations_reused} of {report.animations} animations reused")
    drawing = report.drawing
    if drawing is not None and drawing.alone_because:
        told.append(f"drawn by one process, because {drawing.alone_because}")
    elif drawing is not None and drawing.forked:
        told.append(f"drawn by {drawing.processes} processes")
    return told


def _headline(started: Started) -> str:
    return f"{started.scene}: {started.width}x{started.height}, {started.frame_rate:g} frames a second"


def _title(playing: Playing) -> str:
    length = f", {playing.duration:g} s" if playing.duration is not None else ""
    return f"Animation {playing.index}: {playing.kind}{length}"


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{count / 1000:.0f} KB"
