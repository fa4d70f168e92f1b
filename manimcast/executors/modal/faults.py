"""What a failure on Modal means for a render: its own fault, or the machinery's; and whether to try there again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.tokens import SET_UP, ProfileError
from manimcast.executors.verdict import out_of_memory, timed_out
from manimcast.harmless import harmless
from manimcast.settings import Settings
from manimcast.wire import Failed

# Not the exit code 137 by itself: containers that are told to go end with it too.
_OUT_OF_MEMORY = re.compile(r"out of memory|\boom\b|oom[- ]?kill|memory limit", re.IGNORECASE)
_NO_ENVIRONMENT = re.compile(r"\benvironment( '[^']*')? not found", re.IGNORECASE)


class UnavailableError(ExecutorError):
    """Modal cannot be used at the moment: its client is not there, or the app cannot be looked up."""

    def __init__(self, reason: str, *, is_installed: bool = True) -> None:
        headline = f"Modal lookup failed: {reason}" if is_installed else "Modal import failed"
        super().__init__(reason, again=False, headline=headline)


class CallError(ExecutorError):
    """A call failed, and the scene is not to blame.

    ``reconnect`` says that the connection, or what was looked up with it, is not to be used again.
    """

    def __init__(self, message: str, *, again: bool = True, reconnect: bool = False) -> None:
        super().__init__(message, again=again)
        self.reconnect = reconnect


@dataclass(frozen=True)
class _Meaning:
    """What an exception means; ``text`` may hold the exception's own ``{text}``."""

    text: str
    again: bool = True
    reconnect: bool = False

    def error(self, text: str) -> CallError:
        return CallError(self.text.format(text=text), again=self.again, reconnect=self.reconnect)


_LOST = _Meaning("the container was lost ({text})")
_BROKEN = _Meaning("the connection to Modal broke ({text})", reconnect=True)
_CUT_OFF = _Meaning("the connection to Modal broke ({text})", again=False, reconnect=True)
_REFUSED = _Meaning("Modal refused the call ({text})", again=False, reconnect=True)
_LIMITED = _Meaning("a limit of the Modal account is reached ({text})", again=False)
_GONE = _Meaning("the app was deployed anew or stopped ({text})", reconnect=True)

MEANINGS = {
    "modal.exception.AuthError": _REFUSED,
    "modal.exception.PermissionDeniedError": _REFUSED,
    "modal.exception.VersionError": _REFUSED,
    "modal.exception.InvalidError": _REFUSED,
    "modal.exception.ConflictError": _REFUSED,
    "modal.exception.UnimplementedError": _REFUSED,
    "modal.exception.RequestSizeError": _REFUSED,
    "modal.exception.ResourceExhaustedError": _LIMITED,
    "modal.exception.NotFoundError": _GONE,
    "modal.exception.InternalFailure": _LOST,
    "modal.exception.RemoteError": _Meaning("the call failed on Modal ({text})"),
    "modal.exception.OutputExpiredError": _Meaning("the call was forgotten by Modal ({text})"),
    "modal.exception.ConnectionError": _CUT_OFF,
    "modal.exception.ClientClosed": _BROKEN,
    "modal.exception.ServiceError": _BROKEN,
    "modal.exception.InternalError": _BROKEN,
    "modal.exception.DataLossError": _BROKEN,
    "grpclib.exceptions.StreamTerminatedError": _BROKEN,
    "grpclib.exceptions.ProtocolError": _BROKEN,
    "h2.exceptions.ProtocolError": _BROKEN,
    "builtins.ConnectionRefusedError": _CUT_OFF,
    "socket.gaierror": _CUT_OFF,
    "builtins.TimeoutError": _BROKEN,
    "builtins.OSError": _BROKEN,
    "manimcast.executors.modal.hardening.UntrustedDataError": _Meaning("{text}"),
    "manimcast.executors.modal.remote.BrokenOffError": _Meaning("{text}"),
}
"""By the names of exception classes, or of bases of theirs, since Modal's may not be imported here."""
_UNKNOWN = _Meaning("{text}")


def of_lookup(error: BaseException, settings: Settings) -> UnavailableError:
    """Return why connecting and looking the app up failed, and what helps."""
    name, text = type(error).__name__, _one_line(error)
    environment = settings.modal_environment
    match name:
        case "ModuleNotFoundError" | "ImportError":
            return UnavailableError(f"{text}: run pip install -r requirements.txt", is_installed=False)
        case "TimeoutError":
            return UnavailableError(f"Modal did not answer within {settings.modal_connect_timeout:g} s")
        case "AuthError" if "missing" in text.lower():
            return UnavailableError(f"there is no token; {SET_UP}")
        case "AuthError":
            return UnavailableError(f"the token is not accepted ({text}); {SET_UP}")
        case "NotFoundError" if environment and _NO_ENVIRONMENT.search(text):
            return UnavailableError(
                f"there is no environment {environment}; run modal environment create {environment}"
            )
        case "NotFoundError":
            where, option = (f" in environment {environment}", f" --env {environment}") if environment else ("", "")
            return UnavailableError(
                f"the app {settings.modal_app_name} is not deployed{where}; run manimcast deploy{option}"
            )
        case "ResourceExhaustedError":
            return UnavailableError(f"a limit of the Modal account is reached ({text})")
        case "ConflictError" | "VersionError" | "UnimplementedError" | "PermissionDeniedError":
            return UnavailableError(f"Modal refuses this client ({text})")
    if isinstance(error, ProfileError):
        return UnavailableError(f"there is no token: {text}")
    if isinstance(error, OSError) or _meaning(error).reconnect:
        return UnavailableError(f"Modal cannot be reached ({text})")
    return UnavailableError(text)


def of_call(error: BaseException, timeout: float) -> Failed | ExecutorError:
    """Return what the failure of a call means.

    A function's timeout and a container's memory are the scene's to keep to. Whatever else happens, and is not known
    here, is taken for the machinery's fault, so that the render is tried elsewhere.
    """
    name, text = type(error).__name__, _one_line(error)
    if isinstance(error, ExecutorError):
        return error
    if name == "FunctionTimeoutError":
        return timed_out(timeout)
    out = name in {"RemoteError", "InternalFailure"} and _OUT_OF_MEMORY.search(text)
    if out or name == "OutOfMemoryError":
        return out_of_memory("The render needs more memory than its container has.")
    meaning = _meaning(error)
    return meaning.error(f"{name}: {text}" if meaning is _UNKNOWN and text != name else text)


def _meaning(error: BaseException) -> _Meaning:
    names = (f"{base.__module__}.{base.__qualname__}" for base in type(error).__mro__)
    return next((MEANINGS[name] for name in names if name in MEANINGS), _UNKNOWN)


def _one_line(error: BaseException) -> str:
    lines = [line.strip() for line in harmless(str(error)).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".")
