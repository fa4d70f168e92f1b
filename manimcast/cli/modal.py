"""`manimcast modal`: ask what is deployed, and have a deployment prove itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manimcast.cli.deploy import deploy
from manimcast.cli.reach import AppName, Environment, configured, give_up, reach

if TYPE_CHECKING:
    from manimcast.settings import Settings

SCRATCH = "manimcast-check"

app = typer.Typer(
    help="Look at the renderer on Modal.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def health(
    env: Environment = None,
    name: AppName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Start a container of the deployed app and print what it can do."""
    settings = configured(env, name)
    reach(settings)
    import modal  # noqa: PLC0415  reach has told if it is missing

    from manimcast.executors.modal.protocol import HEALTH  # noqa: PLC0415

    try:
        deployed = modal.Function.from_name(
            settings.modal_app_name, HEALTH, environment_name=settings.modal_environment
        )
        told: dict[str, Any] = deployed.remote()
    except modal.exception.Error as error:
        give_up("the container's health is not known", error, settings)
    if as_json:
        print(json.dumps(told, indent=2))
    else:
        for key, value in told.items():
            if not isinstance(value, dict):
                print(f"{key:18} {value}")
        for key, value in told["facts"].items():
            print(f"  {key:16} {value}")
    raise typer.Exit(0 if told["status"] == "healthy" else 1)


@app.command()
def check(
    env: Annotated[
        str, typer.Option("--env", "-e", metavar="NAME", help="Scratch environment; made if it is not there.")
    ] = SCRATCH,
    address: Annotated[
        str, typer.Option("--reach", metavar="HOST:PORT", help="Address that no container may reach.")
    ] = "1.1.1.1:443",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the app deployed afterwards.")] = False,
) -> None:
    """Prove, on Modal's own cloud, what tests without an account cannot.

    Deploys to a scratch environment, lets containers try what they must not be able to do, and prints a table.
    """
    settings = configured(None, None)
    reach(settings)
    import modal  # noqa: PLC0415  reach has told if it is missing

    try:
        if env not in {found.name for found in modal.Environment.objects.list()}:
            modal.Environment.objects.create(env)
    except modal.exception.Error as error:
        give_up(f"the environment {env} is not to be had", error, settings)
    settings = configured(env, None)
    began = time.monotonic()
    deploy(settings)
    print(_row(True, "the image builds", time.monotonic() - began, f"deployed to {env}"), flush=True)
    try:
        failures = _prove(settings, address)
    finally:
        if not keep:
            stop = [sys.executable, "-m", "modal", "app", "stop", settings.modal_app_name, "--env", env, "--yes"]
            subprocess.run(stop, check=False, stdout=subprocess.DEVNULL)
    print(f"{failures} failed" if failures else "All of it holds.")
    raise typer.Exit(1 if failures else 0)


def _prove(settings: Settings, address: str) -> int:
    """Print a row for each proof and return how many failed."""
    from manimcast.cli.proofs import PROOFS, Deployment  # noqa: PLC0415  imports Modal

    deployment, failures = Deployment(settings, address), 0
    for name, proof in PROOFS.items():
        began = time.monotonic()
        try:
            holds, detail = True, proof(deployment)
        except Exception as error:  # noqa: BLE001  whatever it is, this was not proved, and the others still may be
            holds, detail = False, f"{error}" if str(error) else type(error).__name__
        failures += not holds
        print(_row(holds, name, time.monotonic() - began, " ".join(detail.split())), flush=True)
    return failures


def _row(holds: bool, name: str, seconds: float, detail: str) -> str:
    return f"{'✓' if holds else '✗'} {name:30} {seconds:6.1f} s  {detail}"
