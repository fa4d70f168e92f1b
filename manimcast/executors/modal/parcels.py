"""Kept segments that go to a container with a render, and come back from it.

A container lives for one render, reaches nobody, and cannot ask the service while it renders. So what its render will
probably ask for goes along: what the last renders of its lineage were made of. What it makes comes back, and is kept
here, where the tenants are kept apart; see :mod:`manimcast.executors.segments`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.lineage import Lineage
from manimcast.executors.modal.protocol import MAX_SEGMENTS, Kept
from manimcast.executors.segments import MAX_SEGMENT, Reuse, SegmentCache
from manimcast.settings import MIB, Settings
from manimcast.spec import RenderSpec


class Parcels:
    """The segments of renders on Modal: at most ``most`` bytes go along with one, and as many come back."""

    def __init__(self, cache: SegmentCache, most: int) -> None:
        self._cache = cache
        self._most = most

    @classmethod
    def from_settings(cls, settings: Settings) -> Parcels | None:
        """Return those of this service, if it keeps segments (``SEGMENT_CACHE_MIB``, ``MODAL_SEGMENTS_MIB``)."""
        cache = SegmentCache.from_settings(settings)
        return cls(cache, settings.modal_segments_mib * MIB) if cache and settings.modal_segments_mib else None

    def of(self, spec: RenderSpec, reuse: Reuse, versions: Mapping[str, str] | None) -> Parcel:
        """Return that of one render; ``versions`` is the fingerprint that its container will probably have."""
        return Parcel(self._cache, self._most, spec, reuse, versions)


class Parcel:
    """One render's. Its methods read and write files, so they take a while, but for :meth:`opened` and :meth:`used`."""

    def __init__(
        self, cache: SegmentCache, most: int, spec: RenderSpec, reuse: Reuse, versions: Mapping[str, str] | None
    ) -> None:
        self._cache = cache
        self._most = most
        self._spec = spec
        self._reuse = reuse
        self._versions = dict(versions or {})
        self._known: Lineage | None = None
        self._sent: tuple[str, ...] = ()
        self._used: tuple[str, ...] = ()
        self._made: list[str] = []
        self._to_take = most if reuse.keep else 0
        self._arriving: tuple[str, int] | None = None
        self._pieces = bytearray()

    def pack(self) -> tuple[Kept, tuple[bytes, ...]]:
        """Return what goes along with the call, and the segments."""
        packed = dict(self._packed()) if self._reuse.look and self._versions else {}
        self._sent = tuple(packed)
        return Kept(versions=self._versions, keys=self._sent, most=self._to_take), tuple(packed.values())

    def opened(self, versions: Mapping[str, str]) -> None:
        """Take note of the fingerprint that the container turned out to have."""
        if dict(versions) != self._versions:
            self._versions, self._known, self._sent = dict(versions), None, ()

    def used(self, keys: Iterable[str]) -> None:
        """Take note of what the render asked for of what went along."""
        sent = set(self._sent)
        self._used = tuple(key for key in keys if key in sent)

    def take(self, key: str, size: int, data: bytes) -> None:
        """Take some bytes of a segment that the render has made, which is kept when all ``size`` of them are there."""
        if self._arriving is None:
            self._arriving = key, size
            self._to_take -= size
        if self._arriving != (key, size) or size > MAX_SEGMENT or self._to_take < 0 or len(self._made) >= MAX_SEGMENTS:
            raise ExecutorError("the container sent other segments than it may")
        self._pieces += data
        if len(self._pieces) > size:
            raise ExecutorError("the container sent more of a segment than it announced")
        if len(self._pieces) == size:
            self._lineage.segments.put(key, bytes(self._pieces))
            self._made.append(key)
            self._pieces.clear()
            self._arriving = None

    def close(self, *, finished: bool) -> None:
        """Take note that everything was sent, so that what the render was made of goes along with the next one.

        With one that has failed, all goes along that went with it: once it is mended, it will get further.
        """
        if self._arriving is not None:
            raise ExecutorError("the container ended in the middle of a segment")
        keys = dict.fromkeys((*self._made, *self._used, *(() if finished else self._sent)))
        if keys and self._reuse.keep:
            self._lineage.remember(keys)

    @property
    def _lineage(self) -> Lineage:
        if self._known is None:
            self._known = Lineage(self._cache, self._reuse.tenant, self._versions, self._spec)
        return self._known

    def _packed(self) -> Iterator[tuple[str, bytes]]:
        left = self._most
        for key in self._lineage.keys[:MAX_SEGMENTS]:
            content = self._lineage.segments.get(key)
            if content is not None and len(content) <= left:
                left -= len(content)
                yield key, content
