"""Modal, seen from the commands that talk to it: the settings it shall read, whether it answers, what went wrong."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from manimcast.cli import outcome
from manimcast.cli.outcome import refuse
from manimcast.cli.settings import load_or_refuse

if TYPE_CHECKING:
    from manimcast.settings import Settings

Environment = Annotated[
    str | None, typer.Option("--env", "-e", metavar="NAME", help="Modal environment. (MODAL_ENVIRONMENT)")
]
AppName = Annotated[str | None, typer.Option("--name", metavar="APP", help="Name of the app. (MODAL_APP_NAME)")]

INSTALL = "pip install -r requirements.txt, or pip install 'manimcast[modal]'"
TOKENS = "run `modal setup`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"
PATIENCE = 4
"""Times MODAL_CONNECT_TIMEOUT that a person at a terminal is ready to wait."""


def configured(env: str | None, name: str | None) -> Settings:
    """Return the settings, with the options in their place, and have Modal's client see the same."""
    settings = load_or_refuse(modal_environment=env, modal_app_name=name)
    # Modal reads the environment, but no .env; and the app's module reads both when it is imported.
    secret = settings.modal_token_secret
    for variable, value in {
        "MODAL_TOKEN_ID": settings.modal_token_id,
        "MODAL_TOKEN_SECRET": secret and secret.get_secret_value(),
        "MODAL_ENVIRONMENT": settings.modal_environment,
        "MODAL_APP_NAME": settings.modal_app_name,
    }.items():
        if value:
            os.environ[variable] = value
    return settings


def reach(settings: Settings) -> None:
    """Connect with the tokens that are configured, or end the command with what is wrong and what helps.

    Modal's own client takes about a minute to find out that nobody is there.
    """
    try:
        import modal  # noqa: PLC0415  not every command needs it
    except ModuleNotFoundError:
        refuse("modal is not installed", hint=INSTALL, code=outcome.NO_EXECUTOR)
    seconds = settings.modal_connect_timeout * PATIENCE

    async def connect() -> None:
        async with asyncio.timeout(seconds):
            await modal.Client.from_env.aio()
            if settings.modal_environment:
                await modal.Environment.from_name(settings.modal_environment).hydrate.aio()

    try:
        asyncio.run(connect())
    except TimeoutError:
        refuse(f"Modal did not answer within {seconds:g} s", hint="check the network", code=outcome.NO_EXECUTOR)
    except Exception as error:  # noqa: BLE001  whatever it is, it is why Modal cannot be used
        give_up("Modal cannot be used", error, settings)


def give_up(what: str, error: Exception, settings: Settings) -> NoReturn:
    """End the command because of ``error``, with what helps against it if that is known."""
    name, text = type(error).__name__, str(error) or type(error).__name__
    hint = None
    if name == "AuthError":
        hint = TOKENS
    elif name == "NotFoundError" and "nvironment" in text and settings.modal_environment:
        hint = f"modal environment create {settings.modal_environment}"
    elif name == "NotFoundError":
        hint = "manimcast deploy" + (f" --env {settings.modal_environment}" if settings.modal_environment else "")
    refuse(f"{what}: {text}", hint=hint, code=outcome.NO_EXECUTOR)
