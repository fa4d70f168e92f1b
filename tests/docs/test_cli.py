"""docs/reference/cli.md lists every command, argument and option in the words of `--help`."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer

from manimcast.cli.main import app
from tests.docs.pages import REFERENCE, section

PAGE = REFERENCE / "cli.md"
GROUP: Any = typer.main.get_command(app)
COMMANDS: dict[str, Any] = {
    " ".join(names): command
    for name, top in GROUP.commands.items()
    for names, command in (
        [((name, sub), below) for sub, below in top.commands.items()] if hasattr(top, "commands") else [((name,), top)]
    )
}
"""Every command by its words; of a group, the commands below it."""
OWN = {"help", "install_completion", "show_completion"}


def line(command: str, parameter: Any) -> str:
    """The line of the reference page for an argument or option: what `--help` says of it."""
    with COMMANDS[command].make_context("manimcast", [], resilient_parsing=True) as context:
        shown, said = parameter.get_help_record(context)
    shown = re.sub(r" <(str|int|float|bool|path|list\[str\])>$", "", shown)
    return f"- `{shown}`: {re.sub(r'  +', ' ', said)}"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_and_all_of_its_options_are_described(command: str) -> None:
    text = section(PAGE, f"manimcast {command}")
    assert text, f"docs/reference/cli.md lacks a section `## manimcast {command}`"
    expected = [line(command, parameter) for parameter in COMMANDS[command].params if parameter.name not in OWN]
    missing = [wanted for wanted in expected if wanted not in text.splitlines()]
    assert not missing, "docs/reference/cli.md lacks:\n" + "\n".join(missing)
    extra = [found for found in re.findall(r"^- `-.*$", text, re.MULTILINE) if found not in expected]
    assert not extra, "docs/reference/cli.md describes what does not exist:\n" + "\n".join(extra)


def test_no_other_command_is_described() -> None:
    described = re.findall(r"^## manimcast (.+)$", PAGE.read_text(), re.MULTILINE)
    assert sorted(described) == sorted(COMMANDS)


def test_the_exit_codes_are_listed() -> None:
    from manimcast.cli import outcome  # noqa: PLC0415  beside what it is compared with

    text = section(PAGE, "Exit codes")
    for code in (outcome.OK, outcome.SCENE_FAILED, outcome.WRONG_USAGE, outcome.NO_EXECUTOR, outcome.INTERRUPTED):
        assert f"\n| {code} |" in text
