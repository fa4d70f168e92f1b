"""The `manimcast` command. Each command has a module of its own; nothing heavy is imported before one runs."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Annotated

import typer

from manimcast import __version__
from manimcast.cli import deploy, doctor, inspection, migrate, modal, render, serve, webhooks

EXAMPLES = """\b
Examples:
  manimcast doctor                        what is there, what is missing
  manimcast render scene.py               the only scene of a file, in 720p
  manimcast render scene.py Intro -q low  one scene by name, quickly
  manimcast inspect scene.py              how long it becomes, and what is wrong, without drawing
  manimcast serve                         the HTTP API, on port 8080
  manimcast deploy                        the renderer, on Modal's containers
  manimcast webhooks secret               what receivers of webhooks check signatures with

Every command explains itself, for example: manimcast render --help
"""

app = typer.Typer(
    name="manimcast",
    help="Turn Manim scenes into videos: on the command line, or as an HTTP service.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def versions() -> str:
    """Return this program's version, and those of manim and Python, as far as they are installed."""
    try:
        manim = f"manim {metadata.version('manim')}"
    except metadata.PackageNotFoundError:
        manim = "manim is not installed"
    return f"manimcast {__version__} ({manim}, Python {platform.python_version()})"


def _print_version(wanted: bool) -> None:
    if wanted:
        print(versions())
        raise typer.Exit


@app.callback()
def _manimcast(
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the versions and exit."),
    ] = False,
) -> None:
    pass


@app.command()
def version() -> None:
    """Print the versions of manimcast, manim and Python."""
    print(versions())


app.command(name="render", epilog=render.EXAMPLES)(render.command)
app.command(name="inspect", epilog=inspection.EXAMPLES)(inspection.command)
app.command(name="serve", epilog=serve.EXAMPLES)(serve.command)
app.command(name="migrate", epilog=migrate.EXAMPLES)(migrate.command)
app.command(name="doctor", epilog=doctor.EXAMPLES)(doctor.command)
app.command(name="deploy", epilog=deploy.EXAMPLES)(deploy.command)
app.add_typer(modal.app, name="modal")
app.add_typer(webhooks.app, name="webhooks")


def main() -> None:
    """Run the command line; this is what the installed `manimcast` script calls."""
    app(prog_name="manimcast")


if __name__ == "__main__":
    main()
