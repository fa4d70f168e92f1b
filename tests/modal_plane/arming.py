"""Which faults are switched on, and which of them strike."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import TypeVar

from tests.modal_plane.faults import AnyFault, CallFault, Fault

_numbers = itertools.count(1)


class Armed:
    """A fault that is switched on."""

    def __init__(self, fault: AnyFault) -> None:
        self.id = next(_numbers)
        self.fault = fault
        self.struck = 0
        self.cleared = asyncio.Event()

    @property
    def left(self) -> bool:
        """Whether it may still strike."""
        return not self.cleared.is_set() and (self.fault.times is None or self.struck < self.fault.times)


F = TypeVar("F", bound=Fault)


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self.armed: list[Armed] = []

    def arm(self, fault: AnyFault) -> Armed:
        """Switch a fault on."""
        self.armed.append(Armed(fault))
        return self.armed[-1]

    def clear(self, number: int | None = None) -> None:
        """Switch one fault off, or all."""
        for armed in self.armed:
            if number in {None, armed.id}:
                armed.cleared.set()

    def calling(self, kind: type[CallFault], call: str) -> Armed | None:
        """Return a fault of this kind that strikes the call named ``call``."""
        for armed in self._left(kind):
            assert isinstance(armed.fault, CallFault)
            if not armed.fault.calls or call in armed.fault.calls:
                return armed
        return None

    def strike(self, kind: type[F], function: str, chunks: int = 0) -> F | None:
        """Return a fault of this kind that is due for ``function`` after so many chunks, and count it as struck."""
        for armed in self._left(kind):
            fault = armed.fault
            assert isinstance(fault, kind)
            named = getattr(fault, "function", "")
            after = getattr(fault, "after", 0)
            if named in {"", function} and after is not None and chunks >= after:
                armed.struck += 1
                return fault
        return None

    def _left(self, kind: type[Fault]) -> Iterator[Armed]:
        return (armed for armed in self.armed if armed.left and isinstance(armed.fault, kind))
