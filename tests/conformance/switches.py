"""What of the engine can be switched off, so that frames are compared with and without each of it.

A switch belongs to a whole warm process (``Side("engine", off=...)``), since some of it is settled before the first
fork. What turns it off is one of these: a variable of the process's environment, a function that runs before the
process warms up, fields of :class:`manimcast.wire.Limits`, or of the engine's own ``Switches``.

The ordinary comparison has the engine do all it can even where it does not pay, which is harder than what a service
does; that it chooses is therefore one of the switches.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Switch:
    """One part of the engine, and how to do without it."""

    name: str
    what: str
    environment: Mapping[str, str] = field(default_factory=dict)
    before_warming: Callable[[], None] = _nothing
    limits: Mapping[str, Any] = field(default_factory=dict)
    may: Mapping[str, bool] = field(default_factory=dict)
    """Fields of ``manimcast.engine.parallel.switches.Switches``, whose ``always`` is true unless it is said here."""


def _typeset_in_the_scene() -> None:
    from manimcast.engine.patches import tex  # noqa: PLC0415

    tex.use_typesetter = lambda _typesetter: None  # type: ignore[assignment]


SWITCHES = (
    Switch("fork", "other processes draw than the one that runs the scene", may={"fork": False}),
    Switch("split", "several processes draw one play", may={"split": False}),
    Switch("share", "several processes draw one part of a play, frame by frame", may={"share": False}),
    Switch("skip", "plays that depend on their time alone are stepped over", may={"skip": False}),
    Switch("behind", "what is drawn in the process itself is encoded in a thread", may={"behind": False}),
    Switch("always", "forking and splitting also where they do not pay", may={"always": False}),
    Switch("native", "shapes are drawn by the native part", environment={"MANIMCAST_NATIVE": "off"}),
    Switch("stepping", "what the engine steps otherwise than Manim", environment={"MANIMCAST_STEPPING": "stock"}),
    Switch("typesetter", "TeX is typeset apart from the scene", before_warming=_typeset_in_the_scene),
)
"""Every switch there is. A new speed-up adds a line here, and is then tested without as well."""

BY_NAME = {switch.name: switch for switch in SWITCHES}

MATRIX = (*((switch.name,) for switch in SWITCHES), tuple(switch.name for switch in SWITCHES))
"""What is off together: each alone, then everything. With nothing off, the ordinary comparison draws every case."""


def environment(off: tuple[str, ...]) -> dict[str, str]:
    """Return the variables that a process without ``off`` starts with."""
    return {name: value for switch in off for name, value in BY_NAME[switch].environment.items()}


def before_warming(off: tuple[str, ...]) -> None:
    """Turn ``off`` what is settled before the process warms up."""
    for name in off:
        BY_NAME[name].before_warming()


def limits(off: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of the limits that turn ``off`` their switches."""
    return {name: value for switch in off for name, value in BY_NAME[switch].limits.items()}


def may(off: tuple[str, ...]) -> dict[str, bool]:
    """Return the fields of the engine's ``Switches`` that differ."""
    return {name: value for switch in off for name, value in BY_NAME[switch].may.items()}


def share(off: tuple[str, ...], names: list[str], size: int, day: datetime.date) -> frozenset[str]:
    """Return the ``size`` of ``names`` that are drawn on ``day`` with ``off`` switched off."""
    return frozenset(random.Random(f"{day.isoformat()} {'+'.join(off)}").sample(sorted(names), size))
