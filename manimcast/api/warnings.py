"""What an operator should know about the way this service runs; logged at its start and shown by health."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from manimcast.executors.base import Executor, ExecutorStatus
from manimcast.sandbox.layers import Layer, Tier, exposures
from manimcast.settings import Settings
from manimcast.spec import JsonObject
from manimcast.storage import Status

FOR_STRANGERS = {Tier.full.value, "container"}
"""The tiers of confinement that are meant for code from strangers; the latter is a container of its own on Modal."""
UNCONFINED = (
    "SANDBOX=off: SCENES ARE NOT CONFINED by the {executor} executor. Whatever code is posted runs with all that the "
    "service's user may do. Render only code that you wrote yourself."
)
WEAKLY_CONFINED = (
    "SANDBOX=weak: scenes are not fully confined by the {executor} executor: a scene could {exposures}. Render only "
    "code that you trust, and do not put this service on the internet. Missing: {missing}."
)
OPEN = "Anybody who reaches this address may render: ALLOW_ANONYMOUS is on."
WAITING = "{count} uploads or deletions wait for the bucket; videos are handed out from here meanwhile: {fault}"
MODAL = "modal"
"""Name of the executor on Modal."""
PATIENCE = 60.0
"""Seconds that executors may take to warm up before what they have is announced."""

logger = logging.getLogger(__name__)


def warnings(settings: Settings, statuses: Mapping[str, ExecutorStatus]) -> list[str]:
    """Return the warnings that apply, the gravest first. ``statuses`` are the executors', by their names."""
    found = [
        warning for name, status in statuses.items() if status.available and (warning := _confinement(name, status))
    ]
    if settings.allow_anonymous and not settings.on_loopback:
        found.append(OPEN)
    return found


def storage_warnings(status: Status) -> list[str]:
    """Return what should be known about the place where videos go."""
    return [] if status.fault is None else [WAITING.format(count=status.pending, fault=status.fault)]


def sandbox_of(status: ExecutorStatus) -> JsonObject:
    """Return what the executor says of its confinement: ``tier`` and ``layers``."""
    sandbox = status.details.get("sandbox")
    return sandbox if isinstance(sandbox, dict) else {"tier": "none", "layers": []}


async def announce(settings: Settings, executors: Sequence[Executor]) -> None:
    """Log where renders run and what should be known about it, once the executors can tell."""
    if not any(executor.name == MODAL for executor in executors):
        logger.info("Modal integration disabled, using local rendering")
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while any(_warming(executor.status()) for executor in executors):
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.1)
    statuses = {executor.name: executor.status() for executor in executors}
    for name, status in statuses.items():
        if status.available:
            sandbox = sandbox_of(status)
            layers = ", ".join(map(str, sandbox["layers"])) or "no layers"
            logger.info("Sandbox: %s (%s)", sandbox["tier"], layers, extra={"executor": name})
        elif name != MODAL:  # which tells it itself, as soon as it knows
            logger.warning("The %s executor is not available: %s", name, status.reason)
    for warning in warnings(settings, statuses):
        logger.warning(warning)


def _warming(status: ExecutorStatus) -> bool:
    """Whether the executor cannot yet tell how it confines."""
    return status.available and status.details.get("ready") is False


def _confinement(name: str, status: ExecutorStatus) -> str | None:
    sandbox = sandbox_of(status)
    if sandbox["tier"] in FOR_STRANGERS or _warming(status):
        return None
    if sandbox["tier"] == Tier.none.value:
        return UNCONFINED.format(executor=name)
    layers = frozenset(Layer(layer) for layer in sandbox["layers"])
    missing = ", ".join(lack["layer"].replace("_", " ") for lack in sandbox.get("missing", []))
    could = "; ".join(exposures(layers) or sandbox.get("escapes", []))
    return WEAKLY_CONFINED.format(executor=name, exposures=could or "do more than it should", missing=missing or "?")
