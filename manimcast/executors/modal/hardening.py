"""What this process changes about Modal's client (modal 1.6), all of it in this module.

Two things. First, nothing that comes out of a container is ever unpickled: the client loads whatever a container
labels as a pickle, a result, an item of a generator, or an exception, and a scene that had taken over its container
would then run code in the service. Only CBOR is read, of plain data, of limited size, and never from the blob store,
where a size is known only afterwards. Second, the id of a call is learnt when the call is submitted: generator
functions cannot be spawned, and ``remote_gen`` tells nothing before a container has started, but a render that is
canceled while it waits must be canceled there too.

Replaced are, in ``modal._utils.function_utils``: ``deserialize_data_format``, ``deserialize``, ``blob_download`` and
``_process_result``; in ``modal._functions``: ``_process_result``, ``_Invocation.create`` and
``_InputPlaneInvocation.create``. A test fails when they are no longer what is expected here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

MAX_BODY = 2 * 1024 * 1024
"""Bytes of one item or result that are read: what Modal passes along without its blob store."""
MAX_DEPTH = 8
"""How deep an item may be nested; the protocol needs three levels."""

_waiting: dict[str, Future[str | None]] = {}
_installed = False


class UntrustedDataError(Exception):
    """A container sent something that is not plain data."""


class OutOfMemoryError(Exception):
    """Modal ended a container because of its memory; its client has no error of its own for that."""


def install() -> None:
    """Change the client of this process. Call it before anything is sent; later calls change nothing."""
    global _installed  # noqa: PLW0603  the client's modules are global too
    if _installed:
        return
    from modal import _functions  # noqa: PLC0415  only who uses Modal imports it
    from modal._utils import function_utils  # noqa: PLC0415

    _replace(function_utils, "deserialize_data_format", read_plain)
    _replace(function_utils, "deserialize", refuse_pickle)
    _replace(function_utils, "blob_download", refuse_blob)
    _replace(function_utils, "_process_result", read_result)
    _replace(_functions, "_process_result", read_result)
    for invocation in (_functions._Invocation, _functions._InputPlaneInvocation):
        # They are called on the class, so they have to stay plain functions.
        _replace(invocation, "create", staticmethod(_announcing(invocation.create)))
    _installed = True


def expect_call(token: str) -> Future[str | None]:
    """Return the future id of the call whose first argument has ``token``. Give it up with :func:`forget_call`.

    It comes when Modal has taken the call; None if it was taken by an input plane, which tells no id.
    """
    return _waiting.setdefault(token, Future())


def forget_call(token: str) -> None:
    """Stop waiting for the id of a call."""
    _waiting.pop(token, None)


def read_plain(data: bytes, data_format: int, _client: object) -> Any:
    """Read an item or a result; in place of ``deserialize_data_format``."""
    import cbor2  # noqa: PLC0415  comes with Modal
    from modal_proto import api_pb2  # noqa: PLC0415

    if len(data) > MAX_BODY:
        raise UntrustedDataError(f"a container sent {len(data)} bytes at once; at most {MAX_BODY} are read")
    try:
        if data_format == api_pb2.DATA_FORMAT_GENERATOR_DONE:
            return api_pb2.GeneratorDone.FromString(data)
        if data_format == api_pb2.DATA_FORMAT_CBOR:
            return cbor2.loads(
                data,
                semantic_decoders=_NoTags(),
                max_depth=MAX_DEPTH,
                allow_indefinite=False,
                allow_duplicate_keys=False,
                strict_hashable_types=True,
            )
    except Exception as error:  # noqa: BLE001  a decoder fed with hostile bytes may raise anything
        raise UntrustedDataError(f"a container sent malformed data: {type(error).__name__}") from None
    raise UntrustedDataError("a container sent something other than CBOR")


def refuse_pickle(_data: bytes, _client: object) -> Any:
    """Stand in place of ``deserialize``, which loads pickles."""
    raise UntrustedDataError("a container sent a pickle, which is not read")


async def refuse_blob(_blob_id: str, _stub: object) -> bytes:
    """Stand in place of ``blob_download``, which reads all of a blob into memory."""
    raise UntrustedDataError("a container sent more at once than is read")


async def read_result(result: Any, data_format: int, _stub: object, client: object = None) -> Any:
    """Return a call's result or raise what it failed with; in place of ``_process_result``.

    An exception that comes as a pickle is known by its text alone.
    """
    from modal import exception  # noqa: PLC0415
    from modal_proto import api_pb2  # noqa: PLC0415

    status = api_pb2.GenericResult
    match result.status:
        case status.GENERIC_STATUS_SUCCESS:
            if result.WhichOneof("data_oneof") == "data_blob_id":
                await refuse_blob(result.data_blob_id, _stub)
            return read_plain(result.data, data_format, client)
        case status.GENERIC_STATUS_TIMEOUT:
            raise exception.FunctionTimeoutError(result.exception)
        case status.GENERIC_STATUS_INTERNAL_FAILURE:
            raise exception.InternalFailure(result.exception)
        case status.GENERIC_STATUS_KERNEL_OOM_KILL | status.GENERIC_STATUS_MEMORY_THRASHING_EVICTION:
            raise OutOfMemoryError(result.exception)
        case _:
            raise exception.RemoteError(result.exception)


class _NoTags(Mapping[int, Callable[..., Any]]):
    """Decoders for CBOR's tags: whatever the tag, a refusal. Tags make dates, patterns, references, large numbers."""

    def __getitem__(self, tag: int) -> Callable[..., Any]:
        return self._refuse

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0

    @staticmethod
    def _refuse(*_: object) -> Any:
        raise UntrustedDataError("a tag")


def _announcing(create: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``create`` of an invocation so that it also tells the call's id to whoever expects it."""

    @functools.wraps(create)
    async def announcing(function: Any, args: Any, kwargs: Any, **rest: Any) -> Any:
        invocation = await create(function, args, kwargs, **rest)
        token = args[0].get("token") if args and isinstance(args[0], dict) else None
        if (future := _waiting.pop(str(token), None)) is not None:
            with suppress(Exception):  # nobody waits any more
                future.set_result(getattr(invocation, "function_call_id", None))
        return invocation

    return announcing


def _replace(where: Any, name: str, by: object) -> None:
    """Put ``by`` in the place of something that has to be there."""
    getattr(where, name)
    setattr(where, name, by)
