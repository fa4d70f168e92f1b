"""Segments that one tenant's renders keep for its next ones: handed to renders that ask, taken from those that offer.

A scene could lie about what a segment shows. So what one tenant's renders have made is never given to another's: whose
it is goes into each key, together with the fingerprint of the warm process. Nobody here looks into a segment.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from manimcast.cache import EntryStore
from manimcast.sandbox.host import collect
from manimcast.sandbox.host.collect import CollectError
from manimcast.settings import MIB, Settings
from manimcast.wire import REUSE, MadeSegment, SegmentsAsked, SegmentsFound

log = logging.getLogger(__name__)

LAYOUT = 1
MAX_SEGMENT = 32 * MIB
"""Bytes of a segment that is kept."""


@dataclass(frozen=True)
class Reuse:
    """Whose segments a render may have.

    ``look``: it is given what is kept. ``keep``: what it makes is kept.
    """

    tenant: str
    look: bool = True
    keep: bool = True


class Shelf(Protocol):
    """Where one render's segments come from, and go to; keys are those that renders name."""

    def get(self, key: str) -> bytes | None:
        """Return the segment under ``key``; None when there is none."""

    def put(self, key: str, content: bytes) -> None:
        """Keep a segment, if there is room."""


class SegmentCache:
    """The segments of all tenants of one service."""

    def __init__(self, store: EntryStore) -> None:
        self._store = store

    @classmethod
    def from_settings(cls, settings: Settings) -> SegmentCache | None:
        """Return the one of this service, if it has one (``SEGMENT_CACHE_MIB``)."""
        if not settings.segment_cache_mib:
            return None
        return cls(EntryStore(settings.data_dir.absolute() / "cache" / "segments", settings.segment_cache_mib * MIB))

    def of(self, reuse: Reuse, versions: Mapping[str, str], *, limit: int) -> RenderSegments:
        """Return what one render sees of it: at most ``limit`` bytes are handed to it, and as many are taken."""
        shelf = TenantSegments(self._store, reuse.tenant, versions)
        return RenderSegments(shelf, limit, look=reuse.look, keep=reuse.keep)

    def apart(self, tenant: str, versions: Mapping[str, str], part: str) -> TenantSegments:
        """Return a part of what is a tenant's that no other render sees: that of the name ``part``."""
        return TenantSegments(self._store, tenant, versions, part)


class TenantSegments:
    """What is one tenant's, under keys that others' cannot be: a shelf."""

    def __init__(self, store: EntryStore, tenant: str, versions: Mapping[str, str], *part: str) -> None:
        self._store = store
        self._whose = json.dumps([LAYOUT, tenant, dict(versions), *part], sort_keys=True).encode()

    def get(self, key: str) -> bytes | None:
        """Return the segment under ``key``; None when there is none, or it is damaged."""
        return self._store.get(self._name(key))

    def put(self, key: str, content: bytes) -> None:
        """Keep a segment."""
        self._store.put(self._name(key), content)

    def _name(self, key: str) -> str:
        return hashlib.sha256(self._whose + key.encode()).hexdigest()


class RenderSegments:
    """One render's dealings with the segments of its tenant. Its methods read and write files, so they take a while."""

    def __init__(self, shelf: Shelf, limit: int, *, look: bool = True, keep: bool = True) -> None:
        self._shelf = shelf
        self._looks = look
        self._keeps = keep
        self._to_give = self._to_take = limit
        self._offered: dict[str, str] = {}

    def answer(self, question: SegmentsAsked, directory: int) -> SegmentsFound:
        """Put what is kept of what is asked for into the render's folder, of which ``directory`` is a descriptor."""
        found = tuple(key for key in question.keys if self._looks and self._give(key, directory))
        return SegmentsFound(number=question.number, keys=found)

    def note(self, segments: tuple[MadeSegment, ...]) -> None:
        """Take note of what the render offers; of several under one key, the first counts."""
        for segment in segments:
            self._offered.setdefault(segment.key, segment.path)

    def keep(self, directory: int) -> None:
        """Keep what was offered. The render must have ended: what it says it is, it then is for good."""
        offered, self._offered = self._offered, {}
        for key, path in offered.items() if self._keeps else ():
            try:
                content = collect.read(directory, path, limit=min(MAX_SEGMENT, self._to_take))
            except CollectError as error:
                log.debug("a segment was not kept: %s", error)
                continue
            self._to_take -= len(content)
            self._shelf.put(key, content)

    def _give(self, key: str, directory: int) -> bool:
        content = self._shelf.get(key)
        if content is None or len(content) > self._to_give:
            return False
        self._to_give -= len(content)
        try:
            collect.fill(directory, f"{REUSE}/{key}", content)
        except CollectError as error:
            log.debug("a kept segment was not handed out: %s", error)
            return False
        return True
