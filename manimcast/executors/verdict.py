"""What is said of a render that could not speak for itself."""

from __future__ import annotations

import signal

from manimcast.sandbox.control import Exited
from manimcast.settings import MIB
from manimcast.spec import ErrorCode, SceneError
from manimcast.wire import Failed

_OUT_OF_TIME = "Make the scene simpler or shorter, ask for a lower quality, or look for a loop that does not end."


def timed_out(seconds: float) -> Failed:
    """The render was ended because its time was over."""
    return Failed(
        error=SceneError(
            code=ErrorCode.timeout, message=f"The render took longer than {seconds:g} seconds.", hint=_OUT_OF_TIME
        )
    )


def untrustworthy(how: str) -> Failed:
    """The render said something over the wire that the engine would not say."""
    return Failed(
        error=SceneError(
            code=ErrorCode.forbidden,
            message=f"The scene interfered with the engine: {how}.",
            hint="Leave the engine's files and descriptors alone.",
        )
    )


def too_chatty(limit: int) -> Failed:
    """The render printed more than is read."""
    return Failed(
        error=SceneError(
            code=ErrorCode.output_too_large,
            message=f"The scene printed more than {limit // MIB} MiB.",
            hint="Print less, and not in updaters.",
        )
    )


def out_of_memory(message: str) -> Failed:
    """The render needed more memory than it may have."""
    return Failed(
        error=SceneError(
            code=ErrorCode.out_of_memory,
            message=message,
            hint="Use fewer or smaller objects, or a lower quality.",
        )
    )


def died(exited: Exited) -> SceneError:
    """The process ended in the middle of a scene and did not say why."""
    if exited.reason == "memory":
        return out_of_memory("The scene's processes together need more memory than a render may have.").error
    if exited.reason == "processes":
        return SceneError(
            code=ErrorCode.forbidden,
            message="The scene started more processes or threads than a render may have.",
        )
    if exited.status == -signal.SIGXCPU:
        return SceneError(code=ErrorCode.timeout, message="The render used up its CPU time.", hint=_OUT_OF_TIME)
    if exited.status < 0:
        name = signal.strsignal(-exited.status) or f"signal {-exited.status}"
        return SceneError(code=ErrorCode.exception, message=f"The scene's process ended by a signal: {name}.")
    return SceneError(
        code=ErrorCode.exception,
        message=f"The scene ended its own process before the video was finished (exit status {exited.status}).",
        hint="Do not call os._exit(), and leave descriptors that the scene did not open alone.",
    )
