"""`manimcast modal`: ask what is deployed, and have a deployment prove itself."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from manimcast.cli.reach import AppName, Environment, configured, give_up, reach

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
