"""`manimcast serve`: the HTTP API. Options stand in for environment variables, and win over them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from manimcast.cli import outcome
from manimcast.cli.options import SANDBOXES
from manimcast.cli.outcome import refuse
from manimcast.cli.settings import load_or_refuse

EXAMPLES = """\b
Examples:
  manimcast serve                                 http://127.0.0.1:8080, data in ./data
  manimcast serve -p 9000 --data-dir /srv/casts   another port, another folder
  API_KEYS=secret manimcast serve --host 0.0.0.0  for other machines, with a key
  manimcast serve --role worker -p 0              render what others queue in this folder

Every setting can also come from the environment or from .env; docs/reference/settings.md lists them all.
"""


def command(  # noqa: PLR0917  the command line is what it is
    role: Annotated[
        Literal["all", "api", "worker"] | None,
        typer.Option("--role", help="Take requests and render (all), only take them, or only render. (ROLE)"),
    ] = None,
    host: Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Address to listen on. (HOST)")] = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", metavar="N", help="Port to listen on; 0 takes any free one. (PORT)")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="FOLDER", help="Folder of database, videos and working files. (DATA_DIR)"),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option("--public-url", metavar="URL", help="Address in links to videos. (PUBLIC_URL)"),
    ] = None,
    render_slots: Annotated[
        int | None, typer.Option("--render-slots", metavar="N", help="Renders that run at once. (RENDER_SLOTS)")
    ] = None,
    queue_limit: Annotated[
        int | None, typer.Option("--queue-limit", metavar="N", help="Renders that may wait. (QUEUE_LIMIT)")
    ] = None,
    sandbox: Annotated[
        SANDBOXES | None,
        typer.Option("--sandbox", help="Insist on full confinement, take what there is, or none. (SANDBOX)"),
    ] = None,
    allow_anonymous: Annotated[
        bool,
        typer.Option("--allow-anonymous", help="Serve on HOST without keys: anyone may render. (ALLOW_ANONYMOUS)"),
    ] = False,
    log_format: Annotated[
        Literal["console", "json"] | None, typer.Option("--log-format", help="For people or for machines. (LOG_FORMAT)")
    ] = None,
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"] | None,
        typer.Option("--log-level", help="Least severity that is logged. (LOG_LEVEL)"),
    ] = None,
) -> None:
    """Start the service and serve until interrupted: the HTTP API, what renders, or both.

    On loopback, no key is needed; on any other address keys (API_KEYS) or --allow-anonymous are.
    """
    settings = load_or_refuse(
        role=role,
        host=host,
        port=port,
        data_dir=data_dir,
        public_url=public_url,
        render_slots=render_slots,
        queue_limit=queue_limit,
        sandbox=sandbox,
        allow_anonymous=allow_anonymous or None,
        log_format=log_format,
        log_level=log_level,
    )
    try:
        from manimcast.api.server import serve  # noqa: PLC0415  --help must not wait for it
    except ModuleNotFoundError as error:
        refuse(
            f"the service is not installed: {error}",
            hint="pip install 'manimcast[server]'",
            code=outcome.NO_EXECUTOR,
        )
    serve(settings)
