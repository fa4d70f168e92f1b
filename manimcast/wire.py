"""The bytes between a render's process and the service.

Both directions carry frames on one byte stream: four bytes of length (big-endian, unsigned), then that many
bytes of UTF-8 JSON, one message each. Nothing else ever crosses: no pickles, no descriptors, no references
to memory. The service treats what it reads as hostile, so a frame has a greatest length, a message has a
known type with bounded fields, a stream has a greatest number of messages and of bytes, and the order of
messages is checked.

The service speaks first, with one :class:`Job`. The render answers with :class:`Hello`, then any number of
:class:`Started`, :class:`Playing`, :class:`Progressed` and :class:`Logged`, and ends with exactly one
:class:`Finished` or :class:`Failed`.

The same messages, as dictionaries, are what a remote executor yields.
"""

from __future__ import annotations

import struct
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from manimcast.spec import Progress, RenderReport, RenderSpec, SceneError, Strict

VERSION: Literal[1] = 1
HEADER = struct.Struct(">I")
MAX_FRAME = 512 * 1024
"""Bytes of one message from a render."""
MAX_JOB_FRAME = 8 * 1024 * 1024
"""Bytes of one message to a render: a million characters of code, escaped, fit."""
MAX_MESSAGES = 1_000_000
MAX_STREAM = 256 * 1024 * 1024


class WireError(Exception):
    """The other side broke the protocol. The message says how, without quoting what was sent."""


class Limits(Strict):
    """Bounds on what a render may draw, checked where the frames are drawn.

    ``duration`` is in seconds of video, ``pixels`` counts one frame, ``file_bytes`` bounds the video file.
    """

    duration: float = Field(gt=0)
    frames: int = Field(gt=0)
    pixels: int = Field(gt=0)
    frame_rate: float = Field(gt=0)
    file_bytes: int = Field(gt=0)


class Job(Strict):
    """To a render: what to draw."""

    type: Literal["job"] = "job"
    version: Literal[1] = VERSION
    spec: RenderSpec
    limits: Limits


class Hello(Strict):
    """From a render: it runs, and has read its job."""

    type: Literal["hello"] = "hello"
    version: Literal[1] = VERSION


class Started(Strict):
    """From a render: the code was loaded and the scene's first line is about to run."""

    type: Literal["started"] = "started"
    scene: Annotated[str, StringConstraints(max_length=200)]
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    frame_rate: float = Field(gt=0)


class Playing(Strict):
    """From a render: a play or a wait begins. ``duration`` is in seconds; null if only its end tells."""

    type: Literal["playing"] = "playing"
    index: int = Field(ge=0)
    kind: Annotated[str, StringConstraints(max_length=200)]
    duration: float | None = Field(default=None, ge=0)


class Progressed(Strict):
    """From a render: how far it is."""

    type: Literal["progress"] = "progress"
    progress: Progress


class Logged(Strict):
    """From a render: a line that the engine has to say."""

    type: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"]
    text: Annotated[str, StringConstraints(max_length=8000)]


class Finished(Strict):
    """From a render, last: the files are written."""

    type: Literal["finished"] = "finished"
    report: RenderReport


class Failed(Strict):
    """From a render, last: there is no video, and this is why."""

    type: Literal["failed"] = "failed"
    error: SceneError


Message = Annotated[
    Hello | Started | Playing | Progressed | Logged | Finished | Failed,
    Field(discriminator="type"),
]
"""What a render may say."""

Terminal = Finished | Failed

_messages: TypeAdapter[Message] = TypeAdapter(Message)


def encode(message: Strict) -> bytes:
    """Return ``message`` as one frame.

    Raises :class:`WireError` when it would be longer than the other side reads.
    """
    body = message.model_dump_json().encode("utf-8", "backslashreplace")
    limit = MAX_JOB_FRAME if isinstance(message, Job) else MAX_FRAME
    if len(body) > limit:
        raise WireError(f"a message of {len(body)} bytes is longer than the {limit} that a frame holds")
    return HEADER.pack(len(body)) + body


def parse(body: bytes) -> Message:
    """Return the message in ``body``, or raise :class:`WireError`."""
    try:
        return _messages.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:6])
        raise WireError(f"a message is malformed: {where or 'message'}: {first['msg'][:200]}") from None


def parse_job(body: bytes) -> Job:
    """Return the job in ``body``, or raise :class:`WireError`."""
    try:
        return Job.model_validate_json(body)
    except ValidationError as error:
        raise WireError(f"the job is malformed: {error.error_count()} errors") from None


class FrameDecoder:
    """Cut a byte stream into frames, with bounds.

    Parameters
    ----------
    max_frame
        Greatest length of one frame's body in bytes.
    max_messages, max_stream
        Greatest number of frames, and of bytes, over the life of the stream.
    """

    def __init__(
        self, *, max_frame: int = MAX_FRAME, max_messages: int = MAX_MESSAGES, max_stream: int = MAX_STREAM
    ) -> None:
        self._buffer = bytearray()
        self._max_frame = max_frame
        self._messages_left = max_messages
        self._bytes_left = max_stream

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read and return the bodies that are now whole.

        Raises :class:`WireError` as soon as a bound is passed; the decoder is of no use afterwards.
        """
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise WireError("the stream is longer than allowed")
        self._buffer += data
        bodies: list[bytes] = []
        start = 0
        while len(self._buffer) - start >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer, start)
            if length > self._max_frame:
                raise WireError(f"a frame announces {length} bytes; at most {self._max_frame} are allowed")
            end = start + HEADER.size + length
            if len(self._buffer) < end:
                break
            self._messages_left -= 1
            if self._messages_left < 0:
                raise WireError("more messages than allowed")
            bodies.append(bytes(self._buffer[start + HEADER.size : end]))
            start = end
        del self._buffer[:start]
        return bodies

    @property
    def pending(self) -> int:
        """Bytes of a frame that has begun and not ended."""
        return len(self._buffer)


class Conversation:
    """Check that a render's messages come in an order that makes sense.

    A render that lies can only lie about itself: what it may say next depends on what it said before, indices
    and frame counts never go back, and nothing is heard after its end.
    """

    def __init__(self) -> None:
        self._greeted = False
        self._started = False
        self._index = -1
        self._frames = 0
        self.ended: Terminal | None = None

    def accept(self, message: Message) -> None:
        """Take note of ``message``, or raise :class:`WireError` when it is out of place."""
        if self.ended is not None:
            raise WireError(f"{message.type} after the end")
        if self._greeted == isinstance(message, Hello):
            raise WireError(f"{message.type} twice" if self._greeted else f"{message.type} before hello")
        match message:
            case Hello():
                self._greeted = True
            case Started():
                if self._started:
                    raise WireError("started twice")
                self._started = True
            case Playing(index=index):
                self._needs_start("playing")
                if index != self._index + 1:
                    raise WireError("animations are not in order")
                self._index = index
            case Progressed(progress=progress):
                self._needs_start("progress")
                if progress.animation_index != self._index or progress.frames_done < self._frames:
                    raise WireError("progress goes backwards")
                self._frames = progress.frames_done
            case Finished():
                self._needs_start("finished")
                self.ended = message
            case Failed():
                self.ended = message
            case Logged():
                pass  # may come at any time

    def _needs_start(self, what: str) -> None:
        if not self._started:
            raise WireError(f"{what} before started")
