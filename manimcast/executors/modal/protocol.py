"""What the service and a container on Modal say to each other.

The service calls the generator function :data:`STREAM` with one :class:`Call`, as a dictionary. The container
yields dictionaries of plain data (CBOR on the way), in this order: one ``opened``; any number of ``message``
(one of the wire's messages as JSON bytes) and ``alive``; after a ``message`` with the wire's ``finished``, the
reported files in the order of the report, each as ``chunk`` after ``chunk``; last ``closed``. A dry run has no
``message``: its answer is one file, :data:`INSPECTION`. With a render go the segments that are kept of its tenant's
renders of much the same code; before ``closed`` then come one ``used``, and each that it has made, as ``segment`` after
``segment``. When the container, not the scene, is at fault it yields
``fault`` instead and ends.

Every item carries ``run``, drawn anew whenever a container begins the call, and ``seq``, counted from 0: Modal
starts an input again on another container when it preempts the first, so the same call may be heard from the
start a second time, and a listener has to notice.

The service takes all of this for hostile input. :data:`PROTOCOL` is raised when either side changes its words;
a deployed app of another version is refused with the advice to deploy again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, FailFast, Field, StringConstraints, TypeAdapter, ValidationError

from manimcast.spec import RenderSpec, Strict
from manimcast.wire import MAX_FRAME, Limits, SegmentKey, WireError

PROTOCOL = 6

STREAM = "render_stream"
"""Name of the generator function that the service calls."""
COMPILE = "compile_manim_animation"
"""Name of the function that anybody may call."""
HEALTH = "health_check"
"""Name of the function that tells what a container can do."""

CHUNK = 1024 * 1024
"""Bytes of a file in one item. Modal passes up to 2 MiB along; larger ones make a detour through its blob store."""
INSPECTION = "inspection.json"
"""Name of the file that is a dry run's answer: an :class:`~manimcast.inspection.Inspection`."""
MAX_SEGMENTS = 4096
"""Segments that go along with one render, or that one render is made of."""
ALIVE_SECONDS = 5.0
"""A container that has nothing else to say for so long says that it is alive."""

MARGIN = 15
"""Seconds between a render's own timeout and that of the call, in which it can still say so."""

HEADROOM = 768
"""MiB of a container that are not a render's: the warm process, and Modal's own."""

Id = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9_-]*$")]


_NO_VERSIONS = {"user", "layers"}


class Kept(Strict):
    """With a render: which segments go along, by their keys, in order, and the fingerprint that they hold for.

    ``most`` is how many bytes of segments may come back, which are kept.
    """

    versions: dict[str, str]
    keys: Annotated[tuple[SegmentKey, ...], FailFast()] = Field(default=(), max_length=MAX_SEGMENTS)
    most: int = Field(ge=0)


class Call(Strict):
    """To a container: what to do. ``timeout`` is in seconds and counts from when the render starts there.

    ``token`` is the caller's, drawn anew whenever the call is sent. ``attached`` are the assets of ``spec``, in order,
    ``segments`` those of ``kept``, which is null when none are kept for the render's tenant.
    """

    protocol: int = PROTOCOL
    operation: Literal["render", "inspect"] = "render"
    token: Id
    spec: RenderSpec
    limits: Limits
    timeout: float = Field(gt=0)
    attached: tuple[bytes, ...] = Field(default=(), exclude=True)
    kept: Kept | None = None
    segments: tuple[bytes, ...] = Field(default=(), exclude=True)

    @property
    def carried(self) -> int:
        """How many bytes go along: of assets, and of segments."""
        return sum(map(len, (*self.attached, *self.segments)))

    def sent(self) -> dict[str, object]:
        """Return what is sent: plain data, and the assets and segments as bytes."""
        files = {"attached": list(self.attached), "segments": list(self.segments)}
        return self.model_dump(mode="json") | files


class _Item(Strict):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    run: Id
    seq: int = Field(ge=0)


class Opened(_Item):
    """The call has begun. ``call_id`` is what it is canceled by; ``facts`` are a container's versions and layers."""

    type: Literal["opened"]
    protocol: int
    call_id: Id
    container: Id
    facts: dict[
        Annotated[str, StringConstraints(max_length=60)], Annotated[str, StringConstraints(max_length=1000)]
    ] = Field(max_length=40)


class Said(_Item):
    """The render said something: one of the wire's messages as JSON."""

    type: Literal["message"]
    body: bytes = Field(max_length=MAX_FRAME)


class Alive(_Item):
    """Nothing new, but the container lives."""

    type: Literal["alive"]


class Chunk(_Item):
    """Some bytes of the file ``name``, in order."""

    type: Literal["chunk"]
    name: Annotated[str, StringConstraints(max_length=100)]
    data: bytes = Field(max_length=CHUNK)


class Used(_Item):
    """Which of the segments that went along the render has asked for, in that order."""

    type: Literal["used"]
    keys: Annotated[list[SegmentKey], FailFast()] = Field(max_length=MAX_SEGMENTS)


class Segment(_Item):
    """Some bytes of the segment ``key``, in order, which has ``size`` of them and was made by the render."""

    type: Literal["segment"]
    key: SegmentKey
    size: int = Field(gt=0)
    data: bytes = Field(min_length=1, max_length=CHUNK)


class Closed(_Item):
    """Everything was sent. ``seconds`` is how long the call took in the container."""

    type: Literal["closed"]
    seconds: float = Field(ge=0, allow_inf_nan=False)


class Fault(_Item):
    """The container could not do its work, and the scene is not to blame."""

    type: Literal["fault"]
    reason: Annotated[str, StringConstraints(max_length=2000)]


Item = Annotated[Opened | Said | Alive | Chunk | Used | Segment | Closed | Fault, Field(discriminator="type")]

_items: TypeAdapter[Item] = TypeAdapter(Item)


def render_memory(container: int) -> int:
    """Return how much memory a render may have in a container that has so much, in MiB."""
    return max(container - HEADROOM, container // 2)


def versions_in(facts: Mapping[str, str]) -> dict[str, str]:
    """Return what of a container's facts decides pixels: its fingerprint."""
    return {name: value for name, value in facts.items() if name not in _NO_VERSIONS}


def read(item: object) -> Item:
    """Return what a container yielded, checked, or raise :class:`~manimcast.wire.WireError`."""
    try:
        return _items.validate_python(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:6])
        raise WireError(f"an item is malformed: {where or 'item'}: {first['msg'][:200]}") from None
