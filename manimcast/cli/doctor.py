"""`manimcast doctor`: what is there, what is missing, how to get it, and whether a scene really renders."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from manimcast.cli import outcome

if TYPE_CHECKING:
    from manimcast.cli.checks import Finding
    from manimcast.settings import Settings

EXAMPLES = """\b
Marks:
  ✓ there
  · for your information
  ! a feature is missing
  ✗ rendering is not possible without it

Exit code 0 when this machine can render, 1 when it cannot.
"""


def command(
    no_render: Annotated[bool, typer.Option("--no-render", help="Skip the test render.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the list.")] = False,
) -> None:
    """Tell what is here, what is missing, and how to get it."""
    found = examine(test_render=not no_render)
    able = all(item.state != "missing" for item in found)
    if as_json:
        print(json.dumps({"can_render": able, "checks": [asdict(item) for item in found]}, indent=2))
    else:
        _print(found, able=able)
    raise typer.Exit(outcome.OK if able else outcome.SCENE_FAILED)


def examine(*, test_render: bool) -> list[Finding]:
    """Run every check and return what was found, in the order of printing."""
    from manimcast.cli import checks, confinement, trial  # noqa: PLC0415  --help must not wait for them
    from manimcast.settings import SettingsError, load  # noqa: PLC0415

    settings: Settings | None = None
    found = [check() for check in checks.MACHINE]
    try:
        settings = load()
    except SettingsError as error:
        remedy = "correct it in the environment or in .env; docs/reference/settings.md lists all settings"
        found.append(checks.Finding("Settings", checks.State.missing, str(error), remedy))
    if settings is not None:
        found += [check(settings) for check in checks.CONFIGURED]
        found += confinement.examine(settings)
    if test_render and settings is not None:
        found.append(trial.render(settings))
    return found


def _print(found: list[Finding], *, able: bool) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    marks = {"ok": ("✓", "green"), "info": ("·", "dim"), "warning": ("!", "yellow"), "missing": ("✗", "red")}
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(item.name) for item in found)
    for item in found:
        mark, style = marks[item.state]
        line = Text.assemble((mark, style), f" {item.name:<{width}}  ", outcome.printable(item.detail))
        if item.remedy and item.state != "ok":
            line.append(f"\n  {'':<{width}}  → {outcome.printable(item.remedy)}", style="bold")
        console.print(line)
    verdict = "This machine can render." if able else "This machine cannot render yet: see the lines marked ✗."
    console.print(Text(f"\n{verdict}", style="green" if able else "red"))
