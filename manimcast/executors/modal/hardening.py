"""What this process changes about Modal's client (modal 1.6), all of it in this module.

Two things. First, nothing that comes out of a container is ever unpickled: the client loads whatever a container
labels as a pickle, a result, an item of a generator, or an exception, and a scene that had taken over its container
would then run code in the service. Only CBOR is read, which is data. Second, the id of a call is learnt when the call
is submitted: generator functions cannot be spawned, and ``remote_gen`` tells nothing before a container has started,
but a render that is canceled while it waits must be canceled there too.

Replaced are ``deserialize_data_format`` and ``deserialize`` in ``modal._utils.function_utils``, and
``modal._functions._Invocation.create``. A test fails when they are no longer what is expected here.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

MAX_BODY = 4 * 1024 * 1024
"""Bytes of one item or result that are read; the app sends at most a quarter of it."""

_waiting: dict[str, Future[str]] = {}
_installed = False


class UntrustedDataError(Exception):
    """A container sent something that is not plain data."""


def install() -> None:
    """Change the client of this process. Call it before anything is sent; later calls change nothing."""
    global _installed  # noqa: PLW0603  the client's modules are global too
    if _installed:
        return
    from modal import _functions  # noqa: PLC0415  only who uses Modal imports it
    from modal._utils import function_utils  # noqa: PLC0415

    # setattr, since these are not meant to be assigned to, and mypy says so.
    setattr(function_utils, "deserialize_data_format", read_plain)  # noqa: B010
    setattr(function_utils, "deserialize", refuse_pickle)  # noqa: B010
    original = _functions._Invocation.create

    async def create(function: Any, args: Any, kwargs: Any, **rest: Any) -> Any:
        invocation = await original(function, args, kwargs, **rest)
        token = args[0].get("token") if args and isinstance(args[0], dict) else None
        future = _waiting.pop(str(token), None)
        if future is not None:
            future.set_result(invocation.function_call_id)
        return invocation

    # The attribute is called on the class, so it has to stay a plain function.
    _functions._Invocation.create = staticmethod(create)  # type: ignore[method-assign]
    _installed = True


def expect_call(token: str) -> Future[str]:
    """Return the future id of the call whose first argument has ``token``. Give it up with :func:`forget_call`."""
    return _waiting.setdefault(token, Future())


def forget_call(token: str) -> None:
    """Stop waiting for the id of a call."""
    _waiting.pop(token, None)


def read_plain(data: bytes, data_format: int, _client: object) -> Any:
    """Read an item or a result; in place of ``deserialize_data_format``."""
    import cbor2  # noqa: PLC0415  comes with Modal
    from modal_proto import api_pb2  # noqa: PLC0415

    if data_format == api_pb2.DATA_FORMAT_GENERATOR_DONE:
        return api_pb2.GeneratorDone.FromString(data)
    if data_format != api_pb2.DATA_FORMAT_CBOR:
        raise UntrustedDataError("a container sent something other than CBOR")
    if len(data) > MAX_BODY:
        raise UntrustedDataError(f"a container sent {len(data)} bytes at once; at most {MAX_BODY} are read")
    try:
        return cbor2.loads(data)
    except Exception as error:  # noqa: BLE001  a decoder fed with hostile bytes may raise anything
        raise UntrustedDataError(f"a container sent malformed CBOR: {type(error).__name__}") from None


def refuse_pickle(_data: bytes, _client: object) -> Any:
    """Stand in place of ``deserialize``, which loads pickles; used for the exceptions of containers."""
    raise UntrustedDataError("an exception came as a pickle, which is not read")
