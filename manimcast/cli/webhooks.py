"""`manimcast webhooks`: the secrets that sign them, sending one again, telling whether one is genuine."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from manimcast.cli.outcome import SCENE_FAILED, refuse
from manimcast.cli.settings import load_or_refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manimcast.database import Database

TOLERANCE = 300.0
"""Seconds by which receivers let a message's timestamp differ from their own clock."""

app = typer.Typer(
    help="Secrets of webhooks, sending one again, and checking one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def secret(
    new: Annotated[bool, typer.Option("--new", help="Print a fresh one, for WEBHOOK_SECRET; change nothing.")] = False,
    rotate: Annotated[bool, typer.Option("--rotate", help="Put a fresh one before the present one.")] = False,
    retire: Annotated[bool, typer.Option("--retire", help="Drop the older one of two.")] = False,
) -> None:
    """Print the secret that this service signs webhooks with; while rotating both, the new one first.

    One that is kept in DATA_DIR is changed there, also while the service runs. For one that is set, the line to set
    instead is printed.
    """
    from manimcast.webhooks import SecretError, Secrets, new_secret  # noqa: PLC0415  --help must not wait for it

    if new + rotate + retire > 1:
        refuse("--new, --rotate and --retire exclude each other")
    if new:
        print(new_secret())
        return
    secrets = Secrets(load_or_refuse())
    try:
        current = secrets.current()
        if not (rotate or retire):
            print("\n".join(current))
        elif secrets.is_given:
            print("WEBHOOK_SECRET=" + ",".join((new_secret(), current[0]) if rotate else current[:1]))
            print("Set this for all services, and restart them.", file=sys.stderr)
        else:
            print("\n".join(secrets.rotate() if rotate else secrets.retire()))
    except SecretError as error:
        refuse(str(error), code=SCENE_FAILED)


@app.command()
def replay(render_id: Annotated[str, typer.Argument(metavar="RENDER_ID", help="Render that has ended.")]) -> None:
    """Send the webhook of a render again, under the same id and from the beginning of the schedule.

    The running service does it, within seconds; without one, the next that starts.
    """
    from manimcast.database import Database, DatabaseError  # noqa: PLC0415  --help must not wait for it

    database = Database(load_or_refuse())
    try:
        if not database.is_shared and not Path(database.name).is_file():
            raise DatabaseError(f"there is no database {database.name}; is DATA_DIR the service's?")
        found = asyncio.run(_replay(database, render_id))
    except DatabaseError as error:
        refuse(str(error), code=SCENE_FAILED)
    if not found:
        refuse(f"there is no webhook of {render_id}: no such render, none was asked for, or it has not ended yet")
    print(f"The webhook of {render_id} is going to be sent again.")


async def _replay(database: Database, render_id: str) -> bool:
    from manimcast.webhooks import DeliveryStore  # noqa: PLC0415

    await database.open()
    try:
        return await DeliveryStore(database).replay(render_id)
    finally:
        await database.close()


@app.command()
def verify(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="The request: headers, an empty line, the body. - is standard input."),
    ] = "-",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="A header; FILE is the body alone then."),
    ] = None,
    with_secret: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="SECRET", help="Secret to check with. Default: the service's own."),
    ] = None,
) -> None:
    """Tell whether a webhook is genuine: signed with this service's secret, or with another one that is given.

    The exit code is 1 when it is not, or when it is too old or too new for receivers to take it.
    """
    from manimcast.webhooks import SecretError, Secrets  # noqa: PLC0415  --help must not wait for it
    from manimcast.webhooks.message import signed_with  # noqa: PLC0415

    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        refuse(f"cannot read {file}: {error.strerror}")
    headers, body = (_headers(header), content) if header else _parts(content)
    lacking = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not headers.get(name)]
    if lacking:
        refuse(f"there is no {', '.join(lacking)} among the headers")
    try:
        secrets = tuple(with_secret) if with_secret else Secrets(load_or_refuse()).current()
        number = signed_with(headers, body, secrets)
    except (SecretError, ValueError) as error:
        refuse(str(error))
    if number is None:
        refuse(
            "the signature does not hold: another secret, or not the bytes as they were sent",
            hint="the body must not be parsed and written again, nor end in a line feed that was not sent",
            code=SCENE_FAILED,
        )
    sent = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    age = (datetime.now(UTC) - sent).total_seconds()
    which = "" if len(secrets) == 1 else f" with secret {number + 1} of {len(secrets)}"
    if abs(age) > TOLERANCE:
        refuse(
            f"the signature holds{which}, but is of {sent:%Y-%m-%d %H:%M:%S} UTC: receivers do not take what is more "
            f"than {TOLERANCE / 60:.0f} minutes old or early",
            code=SCENE_FAILED,
        )
    print(f"The signature holds{which}: {headers['webhook-id']}, sent {age:.0f} s ago.")


def _parts(request: bytes) -> tuple[Mapping[str, str], bytes]:
    """Take a request apart; a request line is no header, and not missed."""
    gap = min((b"\r\n\r\n", b"\n\n"), key=lambda each: request.find(each) % (len(request) + 1))
    head, found, body = request.partition(gap)
    if not found:
        refuse("there is no empty line between headers and body")
    return _headers(head.decode("latin-1").splitlines()), body


def _headers(lines: list[str]) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
