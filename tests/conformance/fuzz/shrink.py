"""From a scene that shows a difference to the smallest one that still does."""

from __future__ import annotations

from collections.abc import Callable

from tests.conformance.fuzz.program import Program


def shrink(program: Program, differs: Callable[[Program], bool], *, tries: int = 150) -> Program:
    """Leave out statements, then parts of statements, as long as ``differs`` says yes.

    Stops after ``tries`` questions, with the smallest program so far.
    """
    asked = 0
    seen: set[str] = {program.source}

    def holds(candidate: Program) -> bool:
        nonlocal asked
        if asked >= tries or candidate.source in seen:
            return False
        seen.add(candidate.source)
        asked += 1
        return differs(candidate)

    while True:
        before = program
        program = _fewer_statements(program, holds)
        program = _fewer_parts(program, holds)
        if program == before:
            return program


def _fewer_statements(program: Program, holds: Callable[[Program], bool]) -> Program:
    size = max(1, len(program.statements) // 2)
    while True:
        place = len(program.statements)
        while place > 0:  # from the end: what comes late is needed by little
            place = min(place, len(program.statements)) - size
            candidate = program.without(range(max(0, place), place + size))
            if holds(candidate):
                program = candidate
        if size == 1:
            return program
        size //= 2


def _fewer_parts(program: Program, holds: Callable[[Program], bool]) -> Program:
    for place in range(len(program.statements)):
        part = len(program.statements[place].parts) - 1
        while part >= 0 and len(program.statements[place].parts) > 1:
            candidate = program.without_part(place, part)
            if holds(candidate):
                program = candidate
            part -= 1
    return program
