"""What this process changes about Modal's client, and that the client is still as those changes expect it."""

from __future__ import annotations

import asyncio
import datetime
import inspect
import ipaddress
import pickle
import re
import uuid
from concurrent.futures import Future
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import cbor2
import pytest
from modal import _functions, exception
from modal._utils import function_utils
from modal_proto import api_pb2 as pb

from manimcast.executors.modal import hardening
from manimcast.executors.modal.hardening import MAX_BODY, MAX_DEPTH, OutOfMemoryError, UntrustedDataError, read_plain

Result = pb.GenericResult


@pytest.fixture(autouse=True, scope="module")
def _installed() -> None:
    hardening.install()


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_what_is_replaced_is_what_the_client_uses() -> None:
    """Whoever raises the version of Modal finds out here whether the replacements still fit."""
    assert inspect.getsource(function_utils._stream_function_call_data).count("deserialize_data_format(") == 1
    assert "await blob_download(" in inspect.getsource(function_utils._stream_function_call_data)
    for run in (_functions._Invocation, _functions._InputPlaneInvocation):
        assert "_stream_function_call_data(" in inspect.getsource(run.run_generator)
        assert "_process_result(" in inspect.getsource(run.run_function)
        assert list(inspect.signature(run.create).parameters)[:3] == ["function", "args", "kwargs"]
    assert function_utils.deserialize_data_format is read_plain
    assert function_utils.deserialize is hardening.refuse_pickle
    assert function_utils.blob_download is hardening.refuse_blob
    assert function_utils._process_result is _functions._process_result is hardening.read_result
    assert "deserialize" not in vars(_functions)
    assert _functions._stream_function_call_data.__globals__ is vars(function_utils)
    generator = inspect.getsource(_functions._Function._call_generator)
    assert "_Invocation.create(\n                self,\n                args,\n                kwargs," in generator


def test_installing_again_changes_nothing() -> None:
    before = _functions._Invocation.create
    hardening.install()
    assert _functions._Invocation.create is before


@pytest.mark.parametrize(
    "value", [{"a": [1, -2, 2.5, True, None, "ä", b"\0\xff"], "b": {"c": {}}}, [], "text", 2**64 - 1, -(2**63)]
)
def test_plain_data(value: object) -> None:
    assert read_plain(cbor2.dumps(value), pb.DATA_FORMAT_CBOR, None) == value


def test_the_end_of_a_generator() -> None:
    done = pb.GeneratorDone(items_total=7)
    assert read_plain(done.SerializeToString(), pb.DATA_FORMAT_GENERATOR_DONE, None) == done


@pytest.mark.parametrize(
    "value",
    [
        2**64,
        -(2**70),
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        datetime.date(2026, 1, 1),
        Decimal("1.5"),
        Fraction(1, 3),
        re.compile("(a+)+"),
        uuid.UUID(int=1),
        ipaddress.ip_address("127.0.0.1"),
        frozenset({1}),
        cbor2.CBORTag(4711, "unknown"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_but_plain_data_is_made(value: object) -> None:
    with pytest.raises(UntrustedDataError):
        read_plain(cbor2.dumps({"a": [value]}), pb.DATA_FORMAT_CBOR, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff",
        b"\x81" * (MAX_DEPTH + 1) + b"\x00",
        b"\x81" * 1_000_000,
        bytes.fromhex("5bffffffffffffff00"),  # a string of nearly 2**64 bytes
        bytes.fromhex("9bffffffffffffff00"),  # as many elements
        bytes.fromhex("5f4101ff"),  # of indefinite length
        bytes.fromhex("9f01ff"),
        bytes.fromhex("a2616100616101"),  # the same key twice
        bytes.fromhex("a18001"),  # a list for a key
        bytes.fromhex("61ff"),  # no UTF-8
        bytes.fromhex("d81c81d81d00"),  # a list that contains itself
    ],
    ids=lambda data: data[:10].hex(),
)
def test_malformed_data(data: bytes) -> None:
    with pytest.raises(UntrustedDataError):
        read_plain(data, pb.DATA_FORMAT_CBOR, None)


def test_size() -> None:
    most = cbor2.dumps(bytes(MAX_BODY - 5))
    assert len(most) == MAX_BODY
    assert len(read_plain(most, pb.DATA_FORMAT_CBOR, None)) == MAX_BODY - 5
    with pytest.raises(UntrustedDataError, match="at most"):
        read_plain(most + b"\0", pb.DATA_FORMAT_CBOR, None)


@pytest.mark.parametrize(
    "data_format", [pb.DATA_FORMAT_PICKLE, pb.DATA_FORMAT_UNSPECIFIED, pb.DATA_FORMAT_ASGI, 99], ids=str
)
def test_pickles_are_not_loaded(data_format: int, tmp_path: Path) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "made"))
    with pytest.raises(UntrustedDataError):
        read_plain(bomb, data_format, None)
    with pytest.raises(UntrustedDataError):
        function_utils.deserialize(bomb, None)
    for status in (Result.GENERIC_STATUS_SUCCESS, Result.GENERIC_STATUS_FAILURE):
        result = Result(status=status, data=bomb, serialized_tb=bomb, tb_line_cache=bomb, exception="Bomb()")
        with pytest.raises((UntrustedDataError, exception.RemoteError)):
            read(result, data_format)
    assert list(tmp_path.iterdir()) == []


def read(result: Result, data_format: int = pb.DATA_FORMAT_PICKLE) -> Any:
    return asyncio.run(function_utils._process_result(result, data_format, None))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("TIMEOUT", exception.FunctionTimeoutError),
        ("INTERNAL_FAILURE", exception.InternalFailure),
        ("KERNEL_OOM_KILL", OutOfMemoryError),
        ("MEMORY_THRASHING_EVICTION", OutOfMemoryError),
        ("MEMORY_MANAGER_EVICTION", exception.RemoteError),  # the host ran short of memory, not the container
        ("FAILURE", exception.RemoteError),
        ("INIT_FAILURE", exception.RemoteError),
        ("TERMINATED", exception.RemoteError),
        ("UNSPECIFIED", exception.RemoteError),
    ],
)
def test_failed_calls(status: str, error: type[Exception]) -> None:
    """They raise what Modal's own code raises, and tell memory apart, which that does not."""
    with pytest.raises(error, match="why it failed") as raised:
        read(
            Result(status=Result.GenericStatus.Value(f"GENERIC_STATUS_{status}"), exception="why it failed", data=b".")
        )
    assert type(raised.value) is error


def test_results() -> None:
    success = Result(status=Result.GENERIC_STATUS_SUCCESS, data=cbor2.dumps({"status": "healthy"}))
    assert read(success, pb.DATA_FORMAT_CBOR) == {"status": "healthy"}


def test_nothing_is_read_from_the_blob_store() -> None:
    with pytest.raises(UntrustedDataError):
        read(Result(status=Result.GENERIC_STATUS_SUCCESS, data_blob_id="bl-1"), pb.DATA_FORMAT_CBOR)
    with pytest.raises(UntrustedDataError):
        asyncio.run(function_utils.blob_download("bl-1", None))


class Taken:
    """Stands for what a call becomes when Modal has taken it."""

    def __init__(self, call_id: str | None) -> None:
        if call_id:
            self.function_call_id = call_id


def submit(call_id: str | None, *args: object) -> None:
    """Call what :func:`hardening.install` puts in the place of ``create``, around one that always succeeds."""

    async def create(function: object, args: object, kwargs: object, **rest: object) -> Taken:
        return Taken(call_id)

    assert isinstance(asyncio.run(hardening._announcing(create)(None, args, {}, client=None)), Taken)


def test_the_id_of_a_call_reaches_who_waits_for_it() -> None:
    expected, other = hardening.expect_call("t-1"), hardening.expect_call("t-2")
    submit("fc-1", {"token": "t-1"})
    assert expected.result(0) == "fc-1"
    assert not other.done()
    submit(None, {"token": "t-2"})  # taken by an input plane, which tells no id
    assert other.result(0) is None


@pytest.mark.parametrize("args", [(), (1,), ({},), ({"token": "t-unknown"},)])
def test_other_calls_are_left_alone(args: tuple[object, ...]) -> None:
    expected = hardening.expect_call("t-3")
    submit("fc-3", *args)
    assert not expected.done()
    hardening.forget_call("t-3")
    submit("fc-3", {"token": "t-3"})
    assert not expected.done()


def test_who_gave_up_waiting_does_not_break_the_call() -> None:
    expected: Future[str | None] = hardening.expect_call("t-4")
    expected.cancel()
    submit("fc-4", {"token": "t-4"})
