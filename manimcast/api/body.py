"""Reading a JSON body, with bounds.

The size is checked while reading, whether the client announced it or sends chunks; an endless or stalled body
is given up. What is beyond the limit is read and dropped up to a point, because a client that is still sending
when the connection closes never sees the answer.
"""

from __future__ import annotations

import asyncio

from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request

from manimcast.api.problems import Problem, ProblemError
from manimcast.api.validation import kind_of
from manimcast.spec import JsonObject

READ_TIMEOUT = 30.0
"""Seconds that a whole body may take to arrive."""
DROPPED = 16
"""Limits' worth of bytes that are read and dropped before the connection is closed."""


async def read_json_object(request: Request, *, limit: int) -> JsonObject:
    """Return the body as a dictionary.

    Raises :class:`~manimcast.api.problems.ProblemError` when it is not declared as JSON, longer than ``limit``
    bytes, late, not UTF-8, not JSON, nested too deeply or not an object.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise ProblemError(
            Problem.unsupported_media_type, "Content-Type must be application/json", headers={"connection": "close"}
        )
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            body = await _read(request, limit)
    except TimeoutError:
        raise ProblemError(
            Problem.body_timeout,
            f"the body did not arrive within {READ_TIMEOUT:g} seconds",
            headers={"connection": "close"},
        ) from None
    return _parse(body)


async def _read(request: Request, limit: int) -> bytes:
    body = bytearray()
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received <= limit:
                body += chunk
            else:
                body.clear()
                if received > limit * DROPPED:
                    break
    except ClientDisconnect:
        raise ProblemError(Problem.invalid_body, "the connection closed before the body was complete") from None
    if received > limit:
        raise ProblemError(
            Problem.body_too_large, f"the body must not be longer than {limit} bytes", headers={"connection": "close"}
        )
    return bytes(body)


def _parse(body: bytes) -> JsonObject:
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProblemError(
            Problem.invalid_body, f"the body must be UTF-8; byte {error.start} is not part of any character"
        ) from None
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        reason = str(error)
        if "recursion limit" in reason:
            reason = "nested too deeply" + reason.removeprefix("recursion limit exceeded")
        raise ProblemError(Problem.invalid_body, f"the body must be JSON: {reason}") from None
    if not isinstance(value, dict):
        raise ProblemError(Problem.invalid_body, f"the body must be a JSON object; it is {kind_of(value)}")
    return value
