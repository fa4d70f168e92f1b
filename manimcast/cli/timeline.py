"""A dry run for people: one table of plays for each scene, and below it what else is to be known."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from manimcast.cli.outcome import printable
from manimcast.cli.problem import scene_error_text
from manimcast.inspection import Inspection, SceneInspection, SceneWarning

SHOWN_PLAYS = 200
"""Plays of a scene that the table has rows for."""


def show(inspection: Inspection, console: Console | None = None) -> None:
    """Print ``inspection`` to ``console``, by default standard output."""
    console = console or Console(highlight=False, soft_wrap=True)
    if inspection.error:
        console.print(scene_error_text(inspection.error))
    for number, report in enumerate(inspection.reports):
        if number:
            console.print()
        _show_scene(report, console)
    left_out = inspection.scenes[len(inspection.reports) :] if len(inspection.reports) > 1 else ()
    if left_out:
        console.print(_plain(f"\nNot run: {', '.join(left_out)}", "dim"))


def _show_scene(report: SceneInspection, console: Console) -> None:
    console.print(_plain(_headline(report), "bold"))
    if report.plays:
        console.print(_table(report))
    for line in _further(report):
        console.print(_plain(line))
    for warning in report.warnings:
        console.print(_plain(_warned(warning), "yellow"))
    if report.error:
        console.print(scene_error_text(report.error))


def _headline(report: SceneInspection) -> str:
    if report.width is None:
        return report.scene or "(unnamed scene)"
    size = f"{report.width}x{report.height}, {report.frame_rate:g} frames a second"
    return f"{report.scene}: {report.duration:.2f} s, {report.frames} frames, {size}"


def _table(report: SceneInspection) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right", style="dim")
    table.add_column("start", justify="right")
    table.add_column("length", justify="right")
    table.add_column("frames", justify="right")
    table.add_column("line", justify="right", style="dim")
    table.add_column("play")
    # The first one is Manim's own, unless the scene begins another at once.
    starts = {section.start: section.name for section in report.sections if section.name != "autocreated"}
    for play in report.plays[:SHOWN_PLAYS]:
        name = starts.pop(play.start, None) if play.frames else None
        if name is not None:
            table.add_row("", "", "", "", "", _plain(f"# {name}", "cyan"))
        length = "skipped" if play.skipped else f"{play.duration:.2f}"
        table.add_row(
            str(play.index), f"{play.start:.2f}", length, str(play.frames), str(play.line or ""), _plain(play.kind)
        )
    left = report.animations - min(len(report.plays), SHOWN_PLAYS)
    if left > 0:
        table.add_row("", "", "", "", "", _plain(f"... and {left} more", "dim"))
    return table


def _further(report: SceneInspection) -> Iterator[str]:
    if report.subcaptions:
        yield "Subcaptions:"
        for one in report.subcaptions:
            yield f"  {one.start:.2f}-{one.end:.2f}  {' '.join(one.text.split())}"
    if report.sounds:
        yield f"Sounds: {report.sounds}"
    if report.estimate:
        price = f", ${report.estimate.usd_estimate:.2g}" if report.estimate.usd_estimate else ""
        yield f"A render takes about {report.estimate.seconds:.1f} s{price}; the dry run took {report.seconds:.2f} s."


def _warned(warning: SceneWarning) -> str:
    place = f"line {warning.line}: " if warning.line else ""
    hint = f" {warning.hint}" if warning.hint else ""
    return f"! {place}{warning.message}{hint}"


def _plain(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)
