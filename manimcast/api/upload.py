"""Reading a file out of a multipart body, as it comes, with bounds.

Nothing is held in memory: what arrives of the file goes where the caller says. All that is taken is one part called
``file``, which has a file's name, and perhaps one called ``name``.
"""

from __future__ import annotations

import asyncio
from typing import Any

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from manimcast.api.problems import Problem, ProblemError
from manimcast.api.validation import refuse
from manimcast.assets import Incoming, TooLargeError

SILENCE = 30.0
"""Seconds in which something must arrive."""
WHOLE = 900.0
"""Seconds in which all of it must."""
MAX_FIELD = 1024
"""Bytes of a part that is no file, and of the head of any."""
MAX_PARTS = 4
SENT = "as curl -F file=@logo.png sends it"


class _Upload:
    """The parts of one body, as the parser finds them."""

    def __init__(self, file: Incoming) -> None:
        self._file = file
        self._parts = 0
        self._field = b""
        self._value = b""
        self._head: list[tuple[bytes, bytes]] = []
        self._part: str | None = None
        self.filename: str | None = None
        self.name: str | None = None
        self.is_whole = False

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._head_is_there,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._whole,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise refuse([{"field": "file", "message": "the form must have one part called file"}])
        self._field, self._value, self._head, self._part = b"", b"", [], None

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field = _bounded(self._field + data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value = _bounded(self._value + data[start:end])

    def _header_end(self) -> None:
        self._head.append((self._field.lower(), self._value))
        self._field = self._value = b""

    def _head_is_there(self) -> None:
        for field, value in self._head:
            if field == b"content-disposition":
                _, options = parse_options_header(value)
                self._part = _text(options.get(b"name", b""), "file")
                if self._part == "file":
                    if self.filename is not None:
                        raise refuse([{"field": "file", "message": "there is more than one file; send one at a time"}])
                    self.filename = _text(options.get(b"filename", b""), "file")
        if self._part not in {"file", "name"}:
            shown = (self._part or "")[:60]
            raise refuse([{"field": shown, "message": f"there is no field {shown!r}; send file, and perhaps name"}])

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "file":
            self._file.write(data[start:end])
        else:
            self._value = _bounded(self._value + data[start:end])

    def _end(self) -> None:
        if self._part == "name":
            self.name = _text(self._value, "name")

    def _whole(self) -> None:
        self.is_whole = True


async def read_upload(request: Request, file: Incoming) -> str:
    """Write the uploaded file into ``file`` and return what it is called.

    Raises :class:`~manimcast.api.problems.ProblemError` when the body is no form with a file in it, too large, late or
    broken off.
    """
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if media_type != b"multipart/form-data" or not 0 < len(boundary) <= 256:
        raise ProblemError(
            Problem.unsupported_media_type,
            f"Content-Type must be multipart/form-data, {SENT}",
            headers={"connection": "close"},
        )
    upload = _Upload(file)
    parser = MultipartParser(boundary, upload.callbacks())  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(WHOLE):
            await _feed(request, parser)
        parser.finalize()
    except TooLargeError:
        raise ProblemError(
            Problem.body_too_large, f"an asset may have {file.largest} bytes", headers={"connection": "close"}
        ) from None
    except TimeoutError:
        raise ProblemError(
            Problem.body_timeout, "the body did not arrive in time", headers={"connection": "close"}
        ) from None
    except ClientDisconnect:
        raise ProblemError(Problem.invalid_body, "the connection closed before the body was complete") from None
    except MultipartParseError as error:
        raise ProblemError(Problem.invalid_body, f"the body must be a multipart form: {error}"[:300]) from None
    if not upload.is_whole:
        raise ProblemError(Problem.invalid_body, "the body must be a multipart form; its end is missing")
    if upload.filename is None or not (upload.name or upload.filename):
        message = f"file is required: a part of the form with that name and the name of a file, {SENT}"
        raise refuse([{"field": "file", "message": message}])
    await asyncio.to_thread(file.finish)
    return upload.name if upload.name is not None else upload.filename


async def _feed(request: Request, parser: MultipartParser) -> None:
    stream = request.stream()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(stream), SILENCE)
        except StopAsyncIteration:
            return
        parser.write(chunk)


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_FIELD:
        raise ProblemError(Problem.invalid_body, f"a head or a field of the form is longer than {MAX_FIELD} bytes")
    return data


def _text(data: bytes, field: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise refuse([{"field": field, "message": f"the name of {field} must be UTF-8"}]) from None
