"""The changes to Modal's client, through the client's own functions: whatever a container sends, none of it runs."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import pickle
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import cbor2
import modal
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modal import _functions, _serialization
from modal._utils import blob_utils, function_utils
from modal_proto import api_pb2

from manimcast.executors.modal import hardening
from manimcast.executors.modal.hardening import UntrustedDataError, read_plain

CBOR = api_pb2.DATA_FORMAT_CBOR
DONE = api_pb2.DATA_FORMAT_GENERATOR_DONE
LABELS = [api_pb2.DATA_FORMAT_PICKLE, api_pb2.DATA_FORMAT_UNSPECIFIED, api_pb2.DATA_FORMAT_ASGI, CBOR, DONE]


@pytest.fixture(autouse=True, scope="module")
def _installed() -> None:
    hardening.install()


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


class Server:
    """Answers the client's real functions as Modal would: here with chunks, all of them in one stream."""

    def __init__(self, chunks: list[api_pb2.DataChunk]) -> None:
        self.chunks = chunks
        self._stub = self
        self.FunctionCallGetDataOut = self

    async def unary_stream(self, request: api_pb2.FunctionCallGetDataRequest) -> AsyncIterator[api_pb2.DataChunk]:
        for chunk in self.chunks:
            if chunk.index > request.last_index:
                yield chunk


def streamed(*chunks: api_pb2.DataChunk) -> list[Any]:
    """Return what the client's real function makes of chunks."""

    async def read() -> list[Any]:
        server = Server(list(chunks))
        stream = function_utils._stream_function_call_data(server, server, "fc-1", "data_out")
        return [await anext(stream) for _ in chunks]

    return asyncio.run(read())


def invoked(result: api_pb2.GenericResult, data_format: int) -> Any:
    """Return what the client's real invocation makes of a result."""
    item = api_pb2.FunctionGetOutputsItem(result=result, data_format=data_format)

    class Outputs:
        async def FunctionGetOutputs(self, *_: object, **__: object) -> api_pb2.FunctionGetOutputsResponse:  # noqa: N802
            return api_pb2.FunctionGetOutputsResponse(outputs=[item])

    return asyncio.run(_functions._Invocation(Outputs(), "fc-1", object()).run_function())


def defined(module: Any, name: str) -> ast.AsyncFunctionDef | ast.FunctionDef:
    """Return a function as the module's file has it, whatever stands in its place by now."""
    tree = ast.parse(Path(module.__file__).read_text())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return next(node for node in functions if node.name == name)


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        (_serialization, "deserialize_data_format", ["s", "data_format", "client"]),
        (_serialization, "deserialize", ["s", "client"]),
        (blob_utils, "blob_download", ["blob_id", "stub"]),
        (function_utils, "_process_result", ["result", "data_format", "stub", "client"]),
    ],
)
def test_what_is_replaced_is_called_as_the_replacement(module: Any, name: str, arguments: list[str]) -> None:
    function, stand_in = defined(module, name), getattr(function_utils, name)
    assert [argument.arg for argument in function.args.args] == arguments
    assert stand_in.__module__ == hardening.__name__
    assert len(inspect.signature(stand_in).parameters) == len(arguments)
    assert inspect.iscoroutinefunction(stand_in) is isinstance(function, ast.AsyncFunctionDef)


def test_a_client_that_lacks_what_is_replaced() -> None:
    with pytest.raises(AttributeError):
        hardening._replace(function_utils, "no_such_function", None)


def test_a_bomb_goes_off(tmp_path: Path) -> None:
    """So that the tests below could fail."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "made")))
    assert (tmp_path / "made").exists()


def test_plain_data_in_a_stream() -> None:
    items = [{"type": "chunk", "data": bytes(1000)}, {"type": "closed", "seconds": 1.5}]
    chunks = [api_pb2.DataChunk(index=n, data_format=CBOR, data=cbor2.dumps(item)) for n, item in enumerate(items, 1)]
    assert streamed(*chunks) == items


@pytest.mark.parametrize("label", LABELS, ids=api_pb2.DataFormat.Name)
def test_a_pickle_in_a_stream(tmp_path: Path, label: api_pb2.DataFormat.ValueType) -> None:
    chunk = api_pb2.DataChunk(index=1, data_format=label, data=pickle.dumps(Bomb(tmp_path / "made")))
    if label in {CBOR, DONE}:
        with contextlib.suppress(UntrustedDataError):
            assert streamed(chunk) == [[]]  # this is what the first byte says in CBOR
    else:
        with pytest.raises(UntrustedDataError):
            streamed(chunk)
    assert not (tmp_path / "made").exists()


def test_a_blob_in_a_stream() -> None:
    with pytest.raises(UntrustedDataError, match="more at once than is read"):
        streamed(api_pb2.DataChunk(index=1, data_format=CBOR, data_blob_id="bl-1"))


@pytest.mark.parametrize("label", LABELS, ids=api_pb2.DataFormat.Name)
@pytest.mark.parametrize("status", ["FAILURE", "INIT_FAILURE", "TERMINATED", "SUCCESS"])
def test_a_pickle_as_a_result(tmp_path: Path, status: str, label: int) -> None:
    """Of an exception, the text that came beside it is what is told."""
    bomb = pickle.dumps(Bomb(tmp_path / "made"))
    number = api_pb2.GenericResult.GenericStatus.Value(f"GENERIC_STATUS_{status}")
    result = api_pb2.GenericResult(
        status=number, data=bomb, serialized_tb=bomb, tb_line_cache=bomb, exception="ValueError('no')"
    )
    if status != "SUCCESS":
        with pytest.raises(modal.exception.RemoteError, match=r"^ValueError\('no'\)$"):
            invoked(result, label)
    elif label in {CBOR, DONE}:
        with contextlib.suppress(UntrustedDataError):
            assert invoked(result, label) == []
    else:
        with pytest.raises(UntrustedDataError):
            invoked(result, label)
    assert not (tmp_path / "made").exists()


def is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(is_plain(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    known = (str, bytes, int, float, bool, type(None), type(cbor2.undefined), cbor2.CBORSimpleValue)
    return isinstance(value, known)


@given(st.binary(max_size=200), st.sampled_from([CBOR, DONE]))
def test_whatever_comes(data: bytes, label: int) -> None:
    try:
        value = read_plain(data, label, None)
    except UntrustedDataError as error:
        assert str(error).startswith("a container sent malformed data: ")  # noqa: PT017 - both ends are good
        return
    assert isinstance(value, api_pb2.GeneratorDone) if label == DONE else is_plain(value)
