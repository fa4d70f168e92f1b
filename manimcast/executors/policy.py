"""Which executor runs a render next: the first permitted one, in order, that is available and not exhausted.

A render asks for ``auto`` or for one executor by its name, which never falls back. An executor is exhausted for
a render once it has failed it as often as it may, or once in a way that it would only repeat. A render that may
run on the first executor waits for a slot there as long as it is available: slots are no matter of this module.

Everything here is a function of its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from manimcast.executors.base import ExecutorError, ExecutorStatus

AUTO = "auto"
"""What a render asks for that leaves the choice to the service."""
REASON_LENGTH = 500
"""Characters of a failure's reason that are remembered with the render."""

_ABSENT = {
    "modal": "it is not enabled here; set USE_MODAL=true and give it tokens (`modal setup`, or MODAL_TOKEN_ID and "
    "MODAL_TOKEN_SECRET)",
}


@dataclass(frozen=True)
class Fault:
    """How often an executor has failed a render, the last reason, and whether it would only do so again."""

    failures: int
    reason: str
    final: bool = False


Faults = Mapping[str, Fault]
"""By the executors' names, what they failed in for one render."""


@dataclass(frozen=True)
class Candidate:
    """An executor as the policy sees it."""

    name: str
    tries: int
    status: ExecutorStatus


@dataclass(frozen=True)
class Use:
    """Run it on this executor, as soon as that has a free slot."""

    executor: str


@dataclass(frozen=True)
class Wait:
    """Nothing can run it at the moment, and nothing has tried yet. ``reason`` names every executor's."""

    reason: str


@dataclass(frozen=True)
class GiveUp:
    """Nothing is left that could run it. ``reason`` names every executor's."""

    reason: str


Choice = Use | Wait | GiveUp


def choose(asked: str, faults: Faults, candidates: Iterable[Candidate]) -> Choice:
    """Return what becomes of a render that asked for ``asked`` and was failed as ``faults`` say.

    ``candidates`` are the service's executors, the preferred one first.
    """
    permitted = [candidate for candidate in candidates if asked in {AUTO, candidate.name}]
    if not permitted:
        return GiveUp("no executor is configured" if asked == AUTO else f"{asked}: {_ABSENT.get(asked, 'not set up')}")
    for candidate in permitted:
        if candidate.status.available and not _exhausted(candidate, faults):
            return Use(candidate.name)
    reason = "; ".join(_reason(candidate, faults) for candidate in permitted)
    # A render that was failed has kept its client waiting already, so it ends with what is known.
    return GiveUp(reason) if any(candidate.name in faults for candidate in permitted) else Wait(reason)


def failed(faults: Faults, executor: str, error: ExecutorError) -> dict[str, Fault]:
    """Return ``faults`` with one more: ``executor`` failed the render with ``error``."""
    before = faults[executor].failures if executor in faults else 0
    return {**faults, executor: Fault(before + 1, str(error)[:REASON_LENGTH], final=not error.again)}


def _exhausted(candidate: Candidate, faults: Faults) -> bool:
    fault = faults.get(candidate.name)
    return fault is not None and (fault.final or fault.failures >= candidate.tries)


def _reason(candidate: Candidate, faults: Faults) -> str:
    """Say why ``candidate`` does not run the render."""
    said = []
    if fault := faults.get(candidate.name):
        said.append(fault.reason if fault.failures == 1 else f"failed {fault.failures} times, last: {fault.reason}")
    if not candidate.status.available and not _exhausted(candidate, faults):
        said.append(candidate.status.reason or "not available")
    return f"{candidate.name}: {', then: '.join(said)}"
