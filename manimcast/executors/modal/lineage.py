"""Renders of much the same code, one edit after the other, and the segments that they were made of.

What a container makes is kept apart for each lineage, with the scene's note of its plays
(:mod:`manimcast.engine.reuse`): another scene of the same name would otherwise leave its own note in that place, as no
container has seen both.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import FailFast, Field, TypeAdapter, ValidationError

from manimcast.executors.modal.alike import Sketch, are_alike, sketch_of
from manimcast.executors.modal.protocol import MAX_SEGMENTS
from manimcast.executors.segments import SegmentCache
from manimcast.spec import RenderSpec, Strict
from manimcast.wire import SegmentKey

MAX_RECORDS = 64
"""Renders of one tenant, scene and encoding of which is remembered what they were made of."""
MOST_ALIKE = 4
"""Of these, how many of a lineage count: an edit may be taken back."""
RECORDS = "records"
"""The part of a tenant's segments that has the records; lineages have longer names."""


class _Record(Strict):
    """What one render was made of."""

    lineage: str
    sketch: Sketch
    keys: Annotated[tuple[SegmentKey, ...], FailFast()] = Field(max_length=MAX_SEGMENTS)


_records: TypeAdapter[tuple[_Record, ...]] = TypeAdapter(tuple[_Record, ...])


class Lineage:
    """That which a render of ``spec`` is of, for ``tenant``, in a container of the fingerprint ``versions``.

    Attributes
    ----------
    segments
        What its renders have made.
    keys
        What its last renders were made of, the last one first.
    """

    def __init__(self, cache: SegmentCache, tenant: str, versions: Mapping[str, str], spec: RenderSpec) -> None:
        self._kept = cache.apart(tenant, versions, RECORDS)
        self._place = hashlib.sha256(_kind_of(spec).encode()).hexdigest()
        self._sketch = sketch_of(spec)
        alike = [record for record in self._read() if are_alike(record.sketch, self._sketch)]
        self._name = alike[0].lineage if alike else secrets.token_hex(16)
        own = [record for record in alike if record.lineage == self._name][:MOST_ALIKE]
        self.segments = cache.apart(tenant, versions, self._name)
        self.keys = list(dict.fromkeys(key for record in own for key in record.keys))

    def remember(self, keys: Iterable[str]) -> None:
        """Take note that the render was made of ``keys``, in place of what another of the same code was made of."""
        mine = _Record(lineage=self._name, sketch=self._sketch, keys=tuple(keys)[:MAX_SEGMENTS])
        others = [record for record in self._read() if record.sketch != self._sketch]
        self._kept.put(self._place, _records.dump_json((mine, *others[: MAX_RECORDS - 1])))

    def _read(self) -> tuple[_Record, ...]:
        records = self._kept.get(self._place)
        try:
            return _records.validate_json(records) if records is not None else ()
        except ValidationError:  # another version of this service has written them
            return ()


def _kind_of(spec: RenderSpec) -> str:
    """Return what renders must have in common to be of any use to each other: the scene, and how it is encoded."""
    names = {"scene", "engine", "format", "transparent", "encoder_preset"}
    same = spec.model_dump(mode="json", include=names) | {"size": spec.pixel_size, "rate": spec.frames_per_second}
    return json.dumps(same, sort_keys=True)
