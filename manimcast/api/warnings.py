"""What an operator should know about the way this service runs; logged at its start and shown by health."""

from __future__ import annotations

from collections.abc import Iterable

from manimcast.executors.base import ExecutorStatus
from manimcast.settings import Settings
from manimcast.spec import JsonObject

UNCONFINED = (
    "Scenes run with this user's rights and are not confined: render only code that you trust, and do not put "
    "this service on the internet yet."
)
OPEN = "Anybody who reaches this address may render: ALLOW_ANONYMOUS is on."


def warnings(settings: Settings, statuses: Iterable[ExecutorStatus]) -> list[str]:
    """Return the warnings that apply, the gravest first."""
    found = []
    if any(status.available and not confined(sandbox_of(status)) for status in statuses):
        found.append(UNCONFINED)
    if settings.allow_anonymous and not settings.on_loopback:
        found.append(OPEN)
    return found


def sandbox_of(status: ExecutorStatus) -> JsonObject:
    """Return what the executor says of its confinement: ``tier`` and ``layers``."""
    sandbox = status.details.get("sandbox")
    return sandbox if isinstance(sandbox, dict) else {"tier": "none", "layers": []}


def confined(sandbox: JsonObject) -> bool:
    """Whether scenes are kept from the rest of the machine."""
    return sandbox.get("tier") not in {None, "none", "off"}
