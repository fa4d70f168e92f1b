"""Server-Sent Events as a client sees them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sent:
    """An event as it was sent."""

    id: int
    event: str
    data: dict[str, Any]


class Parser:
    """Makes events of lines. One whose empty line has not come is none."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}
        self.comments = 0
        self.retry: int | None = None

    def feed(self, line: str) -> Sent | None:
        """Take a line without its end; return the event that it completes."""
        if line.startswith(":"):
            self.comments += 1
        elif line:
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
        else:
            fields, self._fields = self._fields, {}
            if "retry" in fields:
                self.retry = int(fields.pop("retry"))
            if "data" in fields:
                return Sent(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            assert not fields
        return None


def parse(lines: Iterable[str]) -> Iterator[Sent]:
    """Yield the events that lines make up."""
    parser = Parser()
    for line in lines:
        if (sent := parser.feed(line)) is not None:
            yield sent


async def aparse(lines: AsyncIterator[str], parser: Parser | None = None) -> AsyncIterator[Sent]:
    """Yield the events that lines make up, as they come."""
    parser = parser or Parser()
    async for line in lines:
        if (sent := parser.feed(line)) is not None:
            yield sent
