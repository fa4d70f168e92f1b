"""What is said between the service and the processes of the sandbox: models whose every field is bounded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, FailFast, Field, StringConstraints

from manimcast.harmless import harmless
from manimcast.spec import (
    MAX_COUNT,
    MAX_SIDE,
    Count,
    Format,
    Name,
    Progress,
    RenderReport,
    RenderSpec,
    SceneError,
    Seconds,
    Short,
    Strict,
)
from manimcast.tex import MAX_FORMAT, TexDocument, TexLimits, TexPreamble, TexResult

VERSION: Literal[2] = 2
REUSE = "media/reuse"
"""The folder, in a render's own, in which it finds segments that were kept."""
MAX_KEYS = 256
"""Segments in one message."""
JOINED = "joined"
"""Name of a file of joined videos, in the folder of who has joined them; its format is the ending."""
MAX_JOINED = 10_000
"""Videos in one file."""


class WireError(Exception):
    """The other side broke the protocol. The message says how, without quoting what was sent."""


class Limits(Strict):
    """Bounds on what a render may draw, checked where the frames are drawn.

    ``duration`` is in seconds of video, ``pixels`` counts one frame, ``file_bytes`` bounds the video file. As many as
    ``drawers`` processes may draw at once, if ``memory``, the bytes of all of them, has room; ``cores`` are processors
    that no other render draws on, if there are such.
    """

    duration: float = Field(gt=0)
    frames: int = Field(gt=0)
    pixels: int = Field(gt=0)
    frame_rate: float = Field(gt=0)
    file_bytes: int = Field(gt=0)
    drawers: int = Field(default=1, ge=1, le=1024)
    memory: int = Field(default=2 << 30, gt=0)
    cores: tuple[int, ...] = Field(default=(), max_length=1024)


class Job(Strict):
    """To a render: what to draw, and whether segments are kept for it."""

    type: Literal["job"] = "job"
    version: Literal[2] = VERSION
    spec: RenderSpec
    limits: Limits
    reuse: bool = False


class TexJob(TexDocument):
    """To a process that typesets: the document.

    When it has said hello, ``format_bytes`` bytes follow that are no message: what a process that dumped the document's
    preamble left.
    """

    type: Literal["tex_job"] = "tex_job"
    version: Literal[2] = VERSION
    limits: TexLimits
    format_bytes: int = Field(0, ge=0, le=MAX_FORMAT)


class FormatJob(TexPreamble):
    """To a process that dumps a preamble: the preamble."""

    type: Literal["format_job"] = "format_job"
    version: Literal[2] = VERSION
    limits: TexLimits


class FormatDone(Strict):
    """From a process that dumps a preamble, last: whether there is a file of it."""

    type: Literal["format_done"] = "format_done"
    made: bool


class Foreseen(TexDocument):
    """From a render: a document that it will probably ask about. Nothing is answered."""

    type: Literal["foreseen"] = "foreseen"


class Typeset(TexDocument):
    """From a render: a question, what TeX makes of this document. Questions are counted from 1."""

    type: Literal["typeset"] = "typeset"
    number: int = Field(ge=1)


SegmentKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A digest of what a segment shows."""


class SegmentsAsked(Strict):
    """From a render: a question, which of these segments are kept.

    It has made an empty file in :data:`REUSE` for each, by its key. What is kept then lies in that file.
    """

    type: Literal["segments_asked"] = "segments_asked"
    number: int = Field(ge=1)
    keys: Annotated[tuple[SegmentKey, ...], FailFast()] = Field(max_length=MAX_KEYS)


class SegmentsFound(Strict):
    """To a render: the answer to its question ``number``: these segments are there now."""

    type: Literal["segments_found"] = "segments_found"
    number: int = Field(ge=1)
    keys: Annotated[tuple[SegmentKey, ...], FailFast()] = Field(max_length=MAX_KEYS)


class MadeSegment(Strict):
    """A segment that a render has made: its key, and its path in the render's folder."""

    key: SegmentKey
    path: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_./-]{0,200}$")]


class SegmentsMade(Strict):
    """From a render, before its last word: what of its segments may be kept for its tenant's next renders."""

    type: Literal["segments_made"] = "segments_made"
    segments: Annotated[tuple[MadeSegment, ...], FailFast()] = Field(max_length=MAX_KEYS)


class TexDone(TexResult):
    """From a process that typesets, last: what became of it, and whether that was made from the format."""

    type: Literal["tex_done"] = "tex_done"
    resumed: bool = False


class Typesetting(TexResult):
    """To a render: the answer to its question ``number``."""

    type: Literal["typesetting"] = "typesetting"
    number: int = Field(ge=1)


class JoinPart(Strict):
    """A video to join: its length in bytes and in frames, the title of its chapter, and what errors call it."""

    bytes: int = Field(gt=0)
    frames: int = Field(gt=0, le=MAX_COUNT)
    title: Annotated[str, StringConstraints(max_length=200)]
    name: Annotated[str, StringConstraints(max_length=100)]


class JoinJob(Strict):
    """To a process that joins videos: what they are, all of one kind, and how large the file may be.

    When it has said hello, the videos follow, each as many bytes as it is said to have, which are no messages.
    """

    type: Literal["join_job"] = "join_job"
    version: Literal[2] = VERSION
    format: Format
    width: int = Field(ge=1, le=MAX_SIDE)
    height: int = Field(ge=1, le=MAX_SIDE)
    frame_rate: float = Field(gt=0, le=MAX_COUNT)
    transparent: bool
    file_bytes: int = Field(gt=0)
    parts: Annotated[tuple[JoinPart, ...], FailFast()] = Field(min_length=1, max_length=MAX_JOINED)


class JoinDone(Strict):
    """From a process that joins videos, last: what is wrong; null when :data:`JOINED` is there, with an ending."""

    type: Literal["join_done"] = "join_done"
    fault: Short | None = None


class CanaryJob(Strict):
    """To a process that tries to get out: what it is to try it on, all of it planted by the service."""

    type: Literal["canary_job"] = "canary_job"
    version: Literal[2] = VERSION
    secret: Annotated[str, StringConstraints(max_length=4096)]
    port: int = Field(ge=1, le=65535)
    pid: int = Field(ge=1)


class CanaryDone(Strict):
    """From a process that tried to get out, last: which attempts were held back, and which were not."""

    type: Literal["canary_done"] = "canary_done"
    held: tuple[Annotated[str, StringConstraints(max_length=100)], ...] = Field(max_length=50)
    escaped: tuple[Annotated[str, StringConstraints(max_length=300)], ...] = Field(max_length=50)


class Hello(Strict):
    """From a render, or a process that typesets: it runs, and has read its job."""

    type: Literal["hello"] = "hello"
    version: Literal[2] = VERSION


class Started(Strict):
    """From a render: the code was loaded and the scene's first line is about to run."""

    type: Literal["started"] = "started"
    scene: Name
    width: int = Field(ge=1, le=MAX_COUNT)
    height: int = Field(ge=1, le=MAX_COUNT)
    frame_rate: float = Field(gt=0, le=MAX_COUNT)


class Playing(Strict):
    """From a render: a play or a wait begins. ``duration`` is in seconds; null if only its end tells."""

    type: Literal["playing"] = "playing"
    index: Count
    kind: Name
    duration: Seconds | None = None


class Played(Strict):
    """From a render: a play or a wait is drawn to its end, and so are all before it.

    ``duration`` is the length of its ``frames`` in the video, in seconds; both are 0 for one that was left out.
    """

    type: Literal["played"] = "played"
    index: Count
    kind: Name
    frames: Count
    duration: Seconds


class Progressed(Strict):
    """From a render: how far it is."""

    type: Literal["progress"] = "progress"
    progress: Progress


class Logged(Strict):
    """From a render: a line that the engine has to say."""

    type: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"]
    text: Annotated[str, StringConstraints(max_length=8000), AfterValidator(harmless)]


class Finished(Strict):
    """From a render, last: the files are written."""

    type: Literal["finished"] = "finished"
    report: RenderReport


class Failed(Strict):
    """From a render, last: there is no video, and this is why."""

    type: Literal["failed"] = "failed"
    error: SceneError


Message = Annotated[
    Hello | Started | Playing | Played | Progressed | Logged | Finished | Failed,
    Field(discriminator="type"),
]
"""What a render may say."""

Spoken = Annotated[Message | Typeset | Foreseen | SegmentsAsked | SegmentsMade, Field(discriminator="type")]
"""What comes over a render's own wire: also questions and offers, which go no further than the service they are for."""

Terminal = Finished | Failed
