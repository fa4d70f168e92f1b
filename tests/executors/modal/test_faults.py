"""What each failure means, and what people are told of it."""

from __future__ import annotations

import socket
from pathlib import Path

import grpclib
import h2.exceptions
import modal.exception
import pytest

from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.faults import MEANINGS, CallError, UnavailableError, of_call, of_lookup
from manimcast.executors.modal.hardening import OutOfMemoryError, UntrustedDataError
from manimcast.executors.modal.remote import BrokenOffError
from manimcast.executors.modal.tokens import ProfileError
from manimcast.settings import Settings
from manimcast.spec import ErrorCode
from manimcast.wire import Failed

exceptions = modal.exception
SETTINGS = Settings(_env_file=None, modal_environment=None, modal_connect_timeout=5)
STAGING = Settings(_env_file=None, modal_environment="staging", modal_app_name="mine")
SET_UP = "set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, or run `modal setup`"

LOOKUPS: list[tuple[BaseException, Settings, str]] = [
    (TimeoutError(), SETTINGS, "Modal did not answer within 5 s"),
    (exceptions.AuthError("Token missing. Could not authenticate client."), SETTINGS, f"there is no token; {SET_UP}"),
    (
        exceptions.AuthError("Token validation failed."),
        SETTINGS,
        f"the token is not accepted (Token validation failed); {SET_UP}",
    ),
    (ProfileError("/x cannot be read: no"), SETTINGS, "there is no token: /x cannot be read: no"),
    (
        exceptions.NotFoundError("App 'a' not found"),
        SETTINGS,
        "the app manim-renderer-api is not deployed; run manimcast deploy",
    ),
    (
        exceptions.NotFoundError("App 'a' not found in environment 'staging'"),
        STAGING,
        "the app mine is not deployed in environment staging; run manimcast deploy --env staging",
    ),
    (
        exceptions.NotFoundError("Environment 'staging' not found"),
        STAGING,
        "there is no environment staging; run modal environment create staging",
    ),
    (
        exceptions.NotFoundError("Environment not found"),
        STAGING,
        "there is no environment staging; run modal environment create staging",
    ),
    (exceptions.ResourceExhaustedError("slow down"), SETTINGS, "a limit of the Modal account is reached (slow down)"),
    (exceptions.PermissionDeniedError("not yours"), SETTINGS, "Modal refuses this client (not yours)"),
    (exceptions.VersionError("too old"), SETTINGS, "Modal refuses this client (too old)"),
    (exceptions.ConflictError("no"), SETTINGS, "Modal refuses this client (no)"),
    (exceptions.UnimplementedError("no"), SETTINGS, "Modal refuses this client (no)"),
    (ConnectionRefusedError(111, "Connection refused"), SETTINGS, "Modal cannot be reached ([Errno 111] Connection r"),
    (socket.gaierror(-2, "Name or service not known"), SETTINGS, "Modal cannot be reached ([Errno -2] Name or serv"),
    (exceptions.ConnectionError("no way"), SETTINGS, "Modal cannot be reached (no way)"),
    (exceptions.ServiceError("try later"), SETTINGS, "Modal cannot be reached (try later)"),
    (exceptions.InternalError("oops"), SETTINGS, "Modal cannot be reached (oops)"),
    (exceptions.ClientClosed(), SETTINGS, "Modal cannot be reached (ClientClosed)"),
]


@pytest.mark.parametrize(("error", "settings", "reason"), LOOKUPS, ids=lambda value: type(value).__name__)
def test_lookups(error: BaseException, settings: Settings, reason: str) -> None:
    unavailable = of_lookup(error, settings)
    assert str(unavailable).startswith(reason)
    assert unavailable.headline == f"Modal lookup failed: {unavailable}"
    assert not unavailable.again


@pytest.mark.parametrize("kind", [ModuleNotFoundError, ImportError])
def test_a_client_that_is_not_installed(kind: type[ImportError]) -> None:
    unavailable = of_lookup(kind("No module named 'modal'"), SETTINGS)
    assert str(unavailable) == "No module named 'modal': run pip install -r requirements.txt"
    assert unavailable.headline == "Modal import failed"
    assert not unavailable.again


FORBIDDEN, TIMEOUT, MEMORY = ErrorCode.forbidden, ErrorCode.timeout, ErrorCode.out_of_memory
SCENES: list[tuple[BaseException, ErrorCode]] = [
    (exceptions.FunctionTimeoutError("Task's current input hit its timeout of 300s"), TIMEOUT),
    (OutOfMemoryError(""), MEMORY),
    (exceptions.RemoteError("Container was killed: out of memory"), MEMORY),
    (exceptions.InternalFailure("task exceeded its memory limit"), MEMORY),
    (exceptions.RemoteError("OOM killed"), MEMORY),
    (exceptions.RemoteError("oom-kill"), MEMORY),
]


@pytest.mark.parametrize(("error", "code"), SCENES, ids=str)
def test_failures_of_scenes(error: BaseException, code: ErrorCode) -> None:
    failed = of_call(error, 285)
    assert isinstance(failed, Failed)
    assert failed.error.code is code
    assert failed.error.hint
    if code is TIMEOUT:
        assert failed.error.message == "The render took longer than 285 seconds."


CALLS: list[tuple[BaseException, str, bool, bool]] = [
    # exception, what is told, again on Modal?, with a new connection?
    (exceptions.AuthError("bad"), "Modal refused the call (bad)", False, True),
    (exceptions.PermissionDeniedError("no"), "Modal refused the call (no)", False, True),
    (exceptions.VersionError("old"), "Modal refused the call (old)", False, True),
    (exceptions.InvalidError("bad"), "Modal refused the call (bad)", False, True),
    (exceptions.ConflictError("bad"), "Modal refused the call (bad)", False, True),
    (exceptions.AlreadyExistsError("bad"), "AlreadyExistsError: bad", True, False),
    (exceptions.UnimplementedError("bad"), "Modal refused the call (bad)", False, True),
    (exceptions.RequestSizeError("big"), "Modal refused the call (big)", False, True),
    (exceptions.ResourceExhaustedError("rate"), "a limit of the Modal account is reached (rate)", False, False),
    (exceptions.NotFoundError("fu-1"), "the app was deployed anew or stopped (fu-1)", True, True),
    (exceptions.InternalFailure("exit code 137"), "the container was lost (exit code 137)", True, False),
    (exceptions.RemoteError("ValueError('x')"), "the call failed on Modal (ValueError('x'))", True, False),
    (exceptions.RemoteError("a zoom of Boom.mp4"), "the call failed on Modal (a zoom of Boom.mp4)", True, False),
    (exceptions.OutputExpiredError(), "the call was forgotten by Modal (OutputExpiredError)", True, False),
    (exceptions.ConnectionError("gone"), "the connection to Modal broke (gone)", False, True),
    (exceptions.ClientClosed(7), "the connection to Modal broke (7)", True, True),
    (exceptions.ServiceError("x"), "the connection to Modal broke (x)", True, True),
    (exceptions.InternalError("x"), "the connection to Modal broke (x)", True, True),
    (exceptions.DataLossError("x"), "the connection to Modal broke (x)", True, True),
    (grpclib.exceptions.StreamTerminatedError("lost"), "the connection to Modal broke (lost)", True, True),
    (grpclib.exceptions.ProtocolError("x"), "the connection to Modal broke (x)", True, True),
    (h2.exceptions.StreamClosedError(1), "the connection to Modal broke (1)", True, True),
    (ConnectionRefusedError("no"), "the connection to Modal broke (no)", False, True),
    (ConnectionResetError("no"), "the connection to Modal broke (no)", True, True),
    (BrokenPipeError("no"), "the connection to Modal broke (no)", True, True),
    (socket.gaierror("no"), "the connection to Modal broke (no)", False, True),
    (TimeoutError(), "the connection to Modal broke (TimeoutError)", True, True),
    (UntrustedDataError("a container sent a pickle"), "a container sent a pickle", True, False),
    (BrokenOffError("the call was given up"), "the call was given up", True, False),
    (exceptions.ExecutionError("x"), "ExecutionError: x", True, False),
    (exceptions.DeserializationError("x"), "DeserializationError: x", True, False),
    (ValueError("x"), "ValueError: x", True, False),
    (KeyError(), "KeyError", True, False),
    (AssertionError(), "AssertionError", True, False),
    (MemoryError(), "MemoryError", True, False),
]


@pytest.mark.parametrize(("error", "told", "again", "reconnect"), CALLS, ids=lambda value: type(value).__name__)
def test_failures_of_calls(error: BaseException, told: str, again: bool, reconnect: bool) -> None:
    failed = of_call(error, 285)
    assert isinstance(failed, CallError)
    assert (str(failed), failed.again, failed.reconnect) == (told, again, reconnect)


def test_every_exception_of_the_client_can_be_told() -> None:
    """None that a new version brings makes a failure that nobody understands, or one of the scene's."""
    kinds = [
        kind
        for kind in vars(exceptions).values()
        if isinstance(kind, type) and issubclass(kind, exceptions.Error) and kind is not exceptions.ImageBuildError
    ]
    assert len(kinds) > 30
    for kind in kinds:
        error = kind("why\nand more")
        assert isinstance(of_lookup(error, STAGING), UnavailableError)
        assert "\n" not in str(of_lookup(error, STAGING))
        failed = of_call(error, 285)
        if kind is exceptions.FunctionTimeoutError:
            assert isinstance(failed, Failed)
        else:
            assert isinstance(failed, CallError), kind
            assert "why" in str(failed)
            assert "and more" not in str(failed)


def test_the_names_are_those_of_exceptions() -> None:
    """They are names, since nothing of Modal's is imported before it is needed."""
    for name in MEANINGS:
        module, _, kind = name.rpartition(".")
        found = getattr(__import__(module, fromlist=[kind]), kind)
        assert issubclass(found, Exception)
        assert f"{found.__module__}.{found.__qualname__}" == name


def test_bases_count() -> None:
    class MineError(ConnectionResetError):
        pass

    failed = of_call(MineError("x"), 1)
    assert isinstance(failed, CallError)
    assert failed.reconnect


def test_an_executor_error_is_what_it_says() -> None:
    error = ExecutorError("lost", again=False)
    assert of_call(error, 1) is error


@pytest.mark.parametrize("text", ["\x1b[31mred\x1b[0m\nmore", "\n  red  \n", "red."])
def test_texts_are_one_harmless_line(text: str) -> None:
    assert str(of_call(exceptions.InternalFailure(text), 1)) == "the container was lost (red)"


def test_texts_are_of_limited_length(tmp_path: Path) -> None:
    assert len(str(of_call(ValueError("x" * 10_000), 1))) < 400
    assert len(str(of_lookup(ValueError("x" * 10_000), SETTINGS))) < 400


def test_a_text_with_braces() -> None:
    assert str(of_call(exceptions.InternalFailure("{text} {0} {"), 1)) == "the container was lost ({text} {0} {)"
