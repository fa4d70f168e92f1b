"""A scene as a list of statements of which each knows what it needs, so that some can be left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

NAME = re.compile(r"\b[a-z]+_\d+\b")
"""Names that composed scenes give to things: ``shape_3``. Nothing of Manim's is called like that."""


@dataclass(frozen=True)
class Statement:
    """One statement of ``construct``.

    ``{parts}`` in ``text`` stands for ``parts``, separated by commas, each of which can be left out unless it is the
    last one.
    """

    text: str
    parts: tuple[str, ...] = ()

    @property
    def defines(self) -> frozenset[str]:
        """The names that it assigns."""
        return frozenset(re.findall(r"^([a-z]+_\d+) = ", self.text, re.MULTILINE))

    @property
    def needs(self) -> frozenset[str]:
        """The names that must be there before it."""
        return frozenset(NAME.findall(self.source)) - self.defines

    @property
    def source(self) -> str:
        """Python, without indentation."""
        return self.text.replace("{parts}", ", ".join(self.parts))


@dataclass(frozen=True)
class Program:
    """A scene. ``base`` is its class in Manim."""

    base: str
    statements: tuple[Statement, ...]
    comment: str = ""

    @property
    def source(self) -> str:
        """The code to post."""
        lines = [f"# {self.comment}"] if self.comment else []
        lines += ["import random", "", "from manim import *", "", "", f"class Fuzzed({self.base}):"]
        lines.append("    def construct(self):")
        for statement in self.statements:
            lines += [f"        {line}" if line else "" for line in statement.source.splitlines()]
        if not self.statements:
            lines.append("        pass")
        return "\n".join(lines) + "\n"

    def without(self, places: Iterable[int]) -> Program:
        """Return it without the statements at ``places``, and without those that need what these define."""
        left_out, gone = set(places), set[str]()
        kept = []
        for place, statement in enumerate(self.statements):
            if place in left_out or statement.needs & gone:
                gone |= statement.defines
            else:
                kept.append(statement)
        return replace(self, statements=tuple(kept))

    def without_part(self, place: int, part: int) -> Program:
        """Return it without one of the parts of the statement at ``place``."""
        statement = self.statements[place]
        parts = tuple(text for index, text in enumerate(statement.parts) if index != part)
        statements = list(self.statements)
        statements[place] = replace(statement, parts=parts)
        return replace(self, statements=tuple(statements))
