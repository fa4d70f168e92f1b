"""Which tier of confinement this host offers: found out by doing, told with what is missing and how to get it.

A process goes through everything that the warm process and its children will go through, in the same place. Versions
and switches of the host are read only to say what would help.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from manimcast.sandbox.host import bubblewrap, remedies, seccomp
from manimcast.sandbox.host.environment import become, environment
from manimcast.sandbox.layers import FULL, Layer, Tier, tier_of
from manimcast.sandbox.orders import TEMPORARY, Bounds, Orders

PATIENCE = 30.0
"""Seconds that the examination may take; it takes a tenth of one."""

UNCONFINED = frozenset({Layer.keeper, Layer.rlimits, Layer.no_capabilities, Layer.no_new_privileges})
"""What is in force without a sandbox: bounds, and that everything ends with its render."""


@dataclass(frozen=True)
class Lack:
    """A layer that this host does not give, why, and what would help."""

    layer: Layer
    reason: str
    remedy: str


@dataclass(frozen=True)
class Ground:
    """What this host offers, and so how children of the warm process are confined.

    Attributes
    ----------
    layers
        What works, and is applied.
    lacks
        What the full tier needs and does not work.
    landlock_abi
        Version of Landlock, 0 when there is none.
    readable
        What children may read.
    owner
        User and group id that the warm process gets when the service is root; None: the service's own.
    grouped
        Whether each child gets a control group, where the host gives any. Benchmarks leave them out.
    """

    layers: frozenset[Layer] = UNCONFINED
    lacks: tuple[Lack, ...] = ()
    landlock_abi: int = 0
    readable: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None
    grouped: bool = True
    _filter: bytes = field(default=b"", repr=False)

    @property
    def tier(self) -> Tier:
        """How well that confines."""
        return tier_of(self.layers)

    @property
    def wrapped(self) -> bool:
        """Whether the warm process runs within bubblewrap."""
        return Layer.bubblewrap in self.layers

    def orders(self, bounds: Bounds) -> Orders:
        """Return what the warm process has to be told."""
        return Orders(
            layers=self.layers,
            bounds=bounds,
            readable=self.readable,
            landlock_abi=self.landlock_abi if Layer.landlock in self.layers else 0,
            files_at=bubblewrap.FILES if self.wrapped else TEMPORARY,
            seccomp=self._filter if Layer.seccomp in self.layers else b"",
        )

    def missing(self) -> str:
        """Return in one sentence what is missing and what would help, most helpful first."""
        by_remedy: dict[str, list[Lack]] = {}
        for lack in self.lacks:
            by_remedy.setdefault(lack.remedy, []).append(lack)
        return "; ".join(
            f"{', '.join(lack.layer.replace('_', ' ') for lack in lacks)} ({lacks[0].reason}): {remedy}"
            for remedy, lacks in by_remedy.items()
        )


async def examine(*, owner: tuple[int, int], readable: Sequence[Path] = ()) -> Ground:
    """Return what this host offers.

    ``owner`` are the user and group id that renders get when the service is root; ``readable`` are folders that they
    may read besides the system's.
    """
    paths = bubblewrap.readable(readable)
    try:
        filter_ = seccomp.program()
    except seccomp.UnsupportedMachineError:
        filter_ = b""
    orders = Orders(frozenset(), Bounds(1 << 30, 1 << 20, 10, 64, 1 << 20, 100), paths, seccomp=filter_)
    lower = owner if os.getuid() == 0 else None
    reason = "not installed"
    if bubblewrap.program():
        within = replace(orders, layers=frozenset({Layer.bubblewrap}), files_at=bubblewrap.FILES)
        answer, reason = await _ask(bubblewrap.command(_inner(within), paths=paths, become=lower))
        if answer is not None:
            return _ground(answer, paths, lower, filter_, wrapped=None)
    # Without bubblewrap the rest may still work; as another user, if that one can get at Python at all.
    for who in dict.fromkeys((lower, None)):
        answer, _ = await _ask([*(become(who) if who else []), *_inner(orders)])
        if answer is not None:
            return _ground(answer, paths, who, filter_, wrapped=reason)
    return Ground(lacks=(Lack(Layer.bubblewrap, reason, remedies.of(Layer.bubblewrap)),))


def _ground(
    answer: dict[str, Any],
    paths: tuple[str, ...],
    owner: tuple[int, int] | None,
    filter_: bytes,
    *,
    wrapped: str | None,
) -> Ground:
    """Return what the probe's ``answer`` says; ``wrapped`` is why there is no bubblewrap around it."""
    found: dict[Layer, str | None] = {Layer(name): reason for name, reason in answer["layers"].items()}
    found[Layer.bubblewrap] = wrapped
    layers = {layer for layer, reason in found.items() if reason is None}
    if Layer.pid_namespace not in layers:
        layers |= {Layer.keeper}
    if owner is not None:
        layers |= {Layer.other_user}
    lacks = tuple(
        Lack(layer, reason or "not there", remedies.of(layer))
        for layer in Layer
        if layer in FULL and (reason := found.get(layer, "not examined")) is not None
    )
    return Ground(frozenset(layers), lacks, int(answer["landlock_abi"]), paths, owner, _filter=filter_)


def _inner(orders: Orders) -> list[str]:
    return [sys.executable, "-s", "-P", "-m", "manimcast.sandbox.inside.probe", orders.dumps()]


async def _ask(command: list[str]) -> tuple[dict[str, Any] | None, str]:
    """Run the probe and return what it found, or None and why it did not even run."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment(),
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return None, str(error)
    try:
        async with asyncio.timeout(PATIENCE):
            output, complaint = await process.communicate()
        if process.returncode == 0:
            return json.loads(output), ""
    except (TimeoutError, ValueError):
        complaint = b"the examination did not end"
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    lines = complaint.decode(errors="replace").strip().splitlines()
    return None, (lines[-1] if lines else f"exit status {process.returncode}")[:500]
