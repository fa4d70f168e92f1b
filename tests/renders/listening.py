"""Listening to renders in tests: events in a form that can be compared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from manimcast.renders import Event, RenderService
from manimcast.renders.events import EventType

Short = tuple[Any, ...]


def short(event: Event) -> Short:
    """Return an event's type and what distinguishes it, without what a test cannot know."""
    match event.type:
        case EventType.running:
            return event.type.value, event.data["executor"], event.attempt
        case EventType.progress:
            return event.type.value, event.data["animation_index"], event.data["animation_percent"]
        case EventType.segment:
            return event.type.value, event.data["animation_index"], event.data["frames"]
        case EventType.log:
            return event.type.value, event.data["text"]
        case _:
            return (event.type.value,)


async def heard(service: RenderService, render_id: str, *, after: int = 0) -> list[Event]:
    """Listen to the end, and return all of it."""
    async with aclosing(service.events(render_id, tenant="t", after=after)) as events:
        return [event async for event in events]


async def reaches(events: AsyncIterator[Event], wanted: Short) -> list[Short]:
    """Listen until an event comes that is ``wanted``; return all of them."""
    seen: list[Short] = []
    async for event in events:
        seen.append(short(event))
        if seen[-1] == wanted:
            return seen
    raise AssertionError(f"{wanted} did not come, but {seen}")


def without_progress(events: list[Event]) -> list[Short]:
    """Return the events in short; progress is left out, as how much there is of it depends on the moment."""
    return [short(event) for event in events if event.type is not EventType.progress]
