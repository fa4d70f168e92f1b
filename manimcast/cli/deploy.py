"""`manimcast deploy`: put the renderer on Modal, with the tokens and settings that the service uses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manimcast.cli.reach import AppName, Environment, configured, give_up, reach

if TYPE_CHECKING:
    from manimcast.settings import Settings

EXAMPLES = """\b
Examples:
  manimcast deploy                    the app manim-renderer-api, in Modal's default environment
  manimcast deploy --env staging      in the environment staging
  MODAL_MEMORY=8192 manimcast deploy  containers with 8 GiB

The first deploy builds the image, which takes minutes. The settings that say "Takes a deploy" in
docs/reference/settings.md are read here.
"""


def command(env: Environment = None, name: AppName = None) -> None:
    """Deploy the renderer to Modal, or deploy it again."""
    settings = configured(env, name)
    began = time.monotonic()
    deploy(settings)
    where = f"environment {settings.modal_environment}" if settings.modal_environment else "the default environment"
    print(f"Deployed {settings.modal_app_name} to {where} in {time.monotonic() - began:.1f} s.")
    print("Try it: manimcast modal health")


def deploy(settings: Settings) -> None:
    """Deploy the app, showing what Modal does; end the command with a reason when that fails."""
    reach(settings)
    import modal  # noqa: PLC0415  reach has told if it is missing

    from manimcast.executors.modal.app import app  # noqa: PLC0415  its definition reads the settings

    try:
        with modal.enable_output():
            app.deploy(environment_name=settings.modal_environment)
    except modal.exception.Error as error:
        give_up("the deployment failed", error, settings)
