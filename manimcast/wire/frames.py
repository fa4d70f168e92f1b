"""Messages as bytes: frames of bounded length, cut from a stream and parsed with no more work than they are worth."""

from __future__ import annotations

import struct
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from manimcast.spec import Strict
from manimcast.wire.inspecting import Inspecting, InspectJob
from manimcast.wire.messages import (
    CanaryDone,
    CanaryJob,
    FormatDone,
    FormatJob,
    Hello,
    Job,
    JoinDone,
    JoinJob,
    Message,
    SegmentsFound,
    Spoken,
    TexDone,
    TexJob,
    Typesetting,
    WireError,
)

HEADER = struct.Struct(">I")
MAX_FRAME = 512 * 1024
"""Bytes of one message from a render."""
MAX_JOB_FRAME = 16 * 1024 * 1024
"""Bytes of one message to a render: a million characters of code and a million of files, escaped, fit."""
MAX_MESSAGES = 1_000_000
MAX_STREAM = 256 * 1024 * 1024
MAX_TEX_FRAME = 8 * 1024 * 1024
"""Bytes of one message with what TeX made."""
MAX_PARTS = 20_000
"""Commas in a message. A report with every file and section that there may be has half of that."""

_messages: TypeAdapter[Message] = TypeAdapter(Message)
_spoken: TypeAdapter[Spoken | Inspecting] = TypeAdapter(Annotated[Spoken | Inspecting, Field(discriminator="type")])
_orders: TypeAdapter[Job | InspectJob | TexJob | FormatJob | JoinJob | CanaryJob] = TypeAdapter(
    Annotated[Job | InspectJob | TexJob | FormatJob | JoinJob | CanaryJob, Field(discriminator="type")]
)
_from_tex: TypeAdapter[Hello | TexDone] = TypeAdapter(Annotated[Hello | TexDone, Field(discriminator="type")])
_from_format: TypeAdapter[Hello | FormatDone] = TypeAdapter(Annotated[Hello | FormatDone, Field(discriminator="type")])
_from_join: TypeAdapter[Hello | JoinDone] = TypeAdapter(Annotated[Hello | JoinDone, Field(discriminator="type")])
_from_canary: TypeAdapter[Hello | CanaryDone] = TypeAdapter(Annotated[Hello | CanaryDone, Field(discriminator="type")])
_answers: TypeAdapter[Typesetting | SegmentsFound] = TypeAdapter(
    Annotated[Typesetting | SegmentsFound, Field(discriminator="type")]
)

_T = TypeVar("_T")


def encode(message: Strict) -> bytes:
    """Return ``message`` as one frame.

    Raises :class:`WireError` when it would be longer than the other side reads.
    """
    body = message.model_dump_json().encode("utf-8", "backslashreplace")
    limit = _longest(message)
    if len(body) > limit:
        raise WireError(f"a message of {len(body)} bytes is longer than the {limit} that a frame holds")
    return HEADER.pack(len(body)) + body


def _longest(message: Strict) -> int:
    match message:
        case Job() | InspectJob() | TexJob() | FormatJob() | JoinJob():
            return MAX_JOB_FRAME
        case TexDone() | Typesetting():
            return MAX_TEX_FRAME
        case _:
            return MAX_FRAME


def parse(body: bytes) -> Message:
    """Return the message in ``body``, or raise :class:`WireError`."""
    return _parse(_messages, body)


def parse_spoken(body: bytes) -> Spoken | Inspecting:
    """Return the message or question in ``body``, or raise :class:`WireError`."""
    return _parse(_spoken, body)


def parse_from_tex(body: bytes) -> Hello | TexDone:
    """Return what a process that typesets says in ``body``, or raise :class:`WireError`."""
    return _parse(_from_tex, body)


def parse_from_format(body: bytes) -> Hello | FormatDone:
    """Return what a process that dumps a preamble says in ``body``, or raise :class:`WireError`."""
    return _parse(_from_format, body)


def parse_from_join(body: bytes) -> Hello | JoinDone:
    """Return what a process that joins videos says in ``body``, or raise :class:`WireError`."""
    return _parse(_from_join, body)


def parse_from_canary(body: bytes) -> Hello | CanaryDone:
    """Return what a process that tries to get out says in ``body``, or raise :class:`WireError`."""
    return _parse(_from_canary, body)


def parse_answer(body: bytes) -> Typesetting | SegmentsFound:
    """Return the answer in ``body``, or raise :class:`WireError`."""
    return _parse(_answers, body)


def parse_job(body: bytes) -> Job | InspectJob | TexJob | FormatJob | JoinJob | CanaryJob:
    """Return the job in ``body``, or raise :class:`WireError`."""
    try:
        return _orders.validate_json(body)
    except ValidationError as error:
        raise WireError(f"the job is malformed: {error.error_count()} errors") from None


def _parse(adapter: TypeAdapter[_T], body: bytes) -> _T:
    # Each part that is wrong makes an error, which costs more than the part.
    if body.count(b",") > MAX_PARTS:
        raise WireError("a message has more parts than allowed")
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        if error.error_count() > 100:
            raise WireError("a message is malformed in more than a hundred places") from None
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:6])
        raise WireError(f"a message is malformed: {where or 'message'}: {first['msg'][:200]}") from None


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
