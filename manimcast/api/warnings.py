"""What an operator should know about the way this service runs; logged at its start and shown by health."""

from __future__ import annotations

from collections.abc import Iterable

from manimcast.executors.base import ExecutorStatus
from manimcast.settings import Settings
from manimcast.spec import JsonObject

FULL = "full"
"""The tier of confinement that is meant for code from strangers."""
UNCONFINED = (
    "Scenes are not confined: render only code that you trust, and do not put this service on the internet yet."
)
WEAKLY_CONFINED = (
    "Scenes are only weakly confined ({layers}): render only code that you trust, and do not put this service on "
    "the internet yet."
)
OPEN = "Anybody who reaches this address may render: ALLOW_ANONYMOUS is on."


def warnings(settings: Settings, statuses: Iterable[ExecutorStatus]) -> list[str]:
    """Return the warnings that apply, the gravest first."""
    found = [warning for status in statuses if status.available and (warning := _confinement(status))]
    if settings.allow_anonymous and not settings.on_loopback:
        found.append(OPEN)
    return found


def sandbox_of(status: ExecutorStatus) -> JsonObject:
    """Return what the executor says of its confinement: ``tier`` and ``layers``."""
    sandbox = status.details.get("sandbox")
    return sandbox if isinstance(sandbox, dict) else {"tier": "none", "layers": []}


def _confinement(status: ExecutorStatus) -> str | None:
    sandbox = sandbox_of(status)
    if sandbox["tier"] == FULL:
        return None
    layers = ", ".join(map(str, sandbox.get("layers", ())))
    return WEAKLY_CONFINED.format(layers=layers) if layers else UNCONFINED
