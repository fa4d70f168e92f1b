"""What a failure on Modal means for a render: its own fault, or the machinery's; and whether to try there again."""

from __future__ import annotations

import re

from manimcast.executors.base import ExecutorError
from manimcast.executors.verdict import out_of_memory, timed_out
from manimcast.settings import Settings
from manimcast.wire import Failed

# Not the exit code 137 by itself: containers that are told to go end with it too.
_OUT_OF_MEMORY = re.compile(r"out of memory|\boom\b|oom[- ]?kill|memory limit", re.IGNORECASE)

_GONE = {"ConnectionRefusedError", "ConnectionResetError", "ConnectionError", "gaierror", "ClientClosed"}
_REFUSED = {"AuthError", "PermissionDeniedError", "VersionError", "InvalidError", "UnimplementedError"}

SET_UP = "set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, or run `modal setup`"


class UnavailableError(ExecutorError):
    """Modal cannot be used at the moment: its client is not there, or the app cannot be looked up."""

    def __init__(self, reason: str, *, is_installed: bool = True) -> None:
        headline = f"Modal lookup failed: {reason}" if is_installed else "Modal import failed"
        super().__init__(reason, again=False, headline=headline)


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
        case "NotFoundError" if environment and re.search(r"\benvironment( '[^']*')? not found", text, re.IGNORECASE):
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
    if isinstance(error, OSError):
        return UnavailableError(f"Modal cannot be reached ({text})")
    return UnavailableError(text)


def of_call(error: BaseException, timeout: float) -> Failed | ExecutorError:
    """Return what the failure of a running call means.

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
    if name in _GONE:
        return ExecutorError(f"the connection to Modal broke ({text})", again=False)
    if name in _REFUSED:
        return ExecutorError(f"Modal refused the call ({text})", again=False)
    if name == "ResourceExhaustedError":
        return ExecutorError(f"a limit of the Modal account is reached ({text})", again=False)
    if name == "NotFoundError":
        return ExecutorError(f"the app was deployed anew or stopped ({text})")
    if name == "InternalFailure":
        return ExecutorError(f"the container was lost ({text})")
    if isinstance(error, OSError):
        return ExecutorError(f"the connection to Modal broke ({text})")
    return ExecutorError(f"{name}: {text}")


def _one_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".")
