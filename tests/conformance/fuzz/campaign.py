"""Draws composed scenes on both sides and tells, of each, what became of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from tests.conformance.catalogue import FUZZED, Case
from tests.conformance.fuzz.program import Program
from tests.conformance.harness import Side, first_difference, frames


class Verdict(StrEnum):
    """What became of a scene."""

    equal = "equal"
    refused = "refused by both"
    """It raises an error, on both sides."""
    unsteady = "unsteady"
    """Stock Manim does not draw it the same twice."""
    different = "different"


@dataclass(frozen=True)
class Posted(Case):
    """A scene that is not a file."""

    text: str = ""

    @property
    def code(self) -> str:
        """Its source."""
        return self.text


@dataclass(frozen=True)
class Finding:
    """The verdict on one scene; ``frames`` were compared, and ``detail`` says where they differ or what was raised."""

    verdict: Verdict
    frames: int
    detail: str = ""
    drawing: dict[str, Any] = field(default_factory=dict)
    """How the engine drew it, as its report has it."""


def as_case(program: Program) -> Posted:
    """Return a scene as a case for the harness."""
    return Posted("fuzz", "Fuzzed", FUZZED, text=program.source)


class Campaign:
    """Both sides, warm. ``off`` names what of the engine is switched off."""

    def __init__(self, off: tuple[str, ...] = ()) -> None:
        self.stock, self.engine = Side("stock"), Side("engine", off=off)
        self._threads = ThreadPoolExecutor(2)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown()
        self.stock.stop()
        self.engine.stop()

    def judge(self, program: Program) -> Finding:
        """Draw a scene on both sides at once, and compare."""
        case = as_case(program)
        expected, actual = self._threads.map(lambda side: side.render(case), (self.stock, self.engine))
        finding = _compare(expected, actual)
        if finding.verdict is Verdict.different:
            again = self.stock.render(case)
            if _compare(expected, again).verdict is Verdict.different:
                return Finding(Verdict.unsteady, finding.frames, finding.detail)
        return finding

    def differs(self, program: Program) -> bool:
        """Return whether the sides draw a scene differently."""
        return self.judge(program).verdict is Verdict.different


def _compare(expected: dict[str, Any], actual: dict[str, Any]) -> Finding:
    raised = [record["error"] for record in (expected, actual) if "error" in record]
    if len(raised) == 2:
        return Finding(Verdict.refused, 0, raised[1])
    if raised:
        side = "stock Manim" if "error" in expected else "the engine"
        return Finding(Verdict.different, 0, f"only {side} raises an error: {raised[0]}")
    wanted, drawn = frames(expected), frames(actual)
    if not wanted:
        wanted = [expected["still"]] * len(drawn)  # a scene that plays nothing is a picture to stock Manim
    difference = first_difference(wanted, drawn)
    if difference is None:
        drawing = actual.get("report", {}).get("drawing") or {}
        return Finding(Verdict.equal, len(drawn), drawing=drawing)
    return Finding(Verdict.different, len(drawn), f"frame {difference} of {len(wanted)} and {len(drawn)}")
