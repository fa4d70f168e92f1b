"""Everything that can be made to go wrong, switched on and off while the control plane runs.

=====================  =====================================================================  ========================
Fault                  What happens                                                           What the client raises
=====================  =====================================================================  ========================
``Refuse``             Connections are closed and new ones refused, until cleared.            ``ConnectionError``, late
``Drop``               All connections are closed once; new ones are accepted.                nothing, or a stream ends
``Silent``             Calls are taken and not answered, until cleared.                       nothing
``BadToken``           Every call: UNAUTHENTICATED.                                           ``AuthError``
``NotDeployed``        ``FunctionGet``: NOT_FOUND, there is no such app.                      ``NotFoundError``
``WrongEnvironment``   ``FunctionGet``: NOT_FOUND, there is no such environment.              ``NotFoundError``
``Exhausted``          ``FunctionMap``: RESOURCE_EXHAUSTED.                                   ``ResourceExhaustedError``
``CancelFails``        ``FunctionCallCancel`` fails.                                          ``ServiceError``
``Kill``               The container is killed.                                               see ``then``
``OutOfMemory``        The container is killed, and the result tells of memory.               see ``status``
``Preempt``            The container is killed, and its input begins anew in another one.     nothing
``TimeOut``            The container is killed as if its function's timeout had passed.       ``FunctionTimeoutError``
``Terminate``          The container is killed and the call is over, as if canceled.          ``RemoteError``
``CrashAtStart``       Containers exit with status 1 before they run anything.                nothing, ``RemoteError``
``HoldStart``          Containers do not start until so many seconds passed or it is cleared. nothing
``PickledChunk``       A chunk is a pickle that makes a file when it is loaded.               what the loading leads to
``PickledException``   The result is an exception as such a pickle.                           what the loading leads to
``MalformedChunk``     A chunk says that it is CBOR and is not.                               ``CBORDecodeError``
``OversizedChunk``     A chunk is a CBOR byte string of so many bytes.                        nothing
``DuplicateChunks``    Every chunk comes twice.                                               nothing
=====================  =====================================================================  ========================

``after`` is the number of a generator's chunks that get through before the fault strikes; the result of a plain
function counts as its first chunk. What Modal's own cloud does when a container dies is documented as "reschedule
the container and any work it was currently assigned", for deployed apps without end and for ephemeral ones until it
happens too often; that is what happens here to containers that die by themselves, too often being three times.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Then = Literal["fail", "restart"]
"""What becomes of a killed container's input: it fails at once, or it begins anew in another container."""


class Fault(BaseModel):
    """Something that goes wrong, so many ``times``; None: until it is cleared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    times: int | None = None


class CallFault(Fault):
    """A fault of the calls with these names; none means all."""

    calls: tuple[str, ...] = ()


class Silent(CallFault):
    """Not answering. Streams and polls that are open already fall silent too."""

    name: Literal["silent"] = "silent"


class Failing(CallFault):
    """An error instead of an answer. ``status`` is one of gRPC's; the client repeats UNAVAILABLE by itself."""

    status: str
    message: str


class BadToken(Failing):
    """No token is good."""

    name: Literal["bad_token"] = "bad_token"
    status: str = "UNAUTHENTICATED"
    message: str = "Token validation failed. Check your token ID and secret."


class NotDeployed(Failing):
    """No app is deployed."""

    name: Literal["not_deployed"] = "not_deployed"
    calls: tuple[str, ...] = ("FunctionGet",)
    status: str = "NOT_FOUND"
    message: str = "App not found"


class WrongEnvironment(Failing):
    """No environment is there."""

    name: Literal["wrong_environment"] = "wrong_environment"
    calls: tuple[str, ...] = ("FunctionGet",)
    status: str = "NOT_FOUND"
    message: str = "Environment not found"


class Exhausted(Failing):
    """Too many calls."""

    name: Literal["exhausted"] = "exhausted"
    calls: tuple[str, ...] = ("FunctionMap",)
    status: str = "RESOURCE_EXHAUSTED"
    message: str = "Rate limit exceeded"


class CancelFails(Failing):
    """Canceling does not work."""

    name: Literal["cancel_fails"] = "cancel_fails"
    calls: tuple[str, ...] = ("FunctionCallCancel",)
    status: str = "UNAVAILABLE"
    message: str = "Try again later"


class Refuse(Fault):
    """No connection. With ``after``, from that chunk on; without, at once."""

    name: Literal["refuse"] = "refuse"
    after: int | None = None


class Drop(Fault):
    """Losing every connection, once. With ``after``, at that chunk; without, at once."""

    name: Literal["drop"] = "drop"
    times: int | None = 1
    after: int | None = None


class WorkFault(Fault):
    """A fault of what containers do, of one ``function`` or of all of them."""

    function: str = ""
    after: int = 0


class Kill(WorkFault):
    """The container's processes are killed."""

    name: Literal["kill"] = "kill"
    then: Then = "fail"


class OutOfMemory(WorkFault):
    """The container ran out of memory. ``status`` decides what the client raises."""

    name: Literal["out_of_memory"] = "out_of_memory"
    status: Literal["failure", "internal_failure", "kernel_oom_kill"] = "internal_failure"


class Preempt(WorkFault):
    """The container had to give way. The rerun's chunks are counted from 1 again, as the real entry point does it.

    With ``indices="go_on"`` they go on after those of the run before, so the client does not skip any. ``gently``: it
    gets SIGINT and some seconds, as documented, and is not killed at once. What it still says is lost either way.
    """

    name: Literal["preempt"] = "preempt"
    times: int | None = 1
    indices: Literal["restart", "go_on"] = "restart"
    gently: bool = False


class TimeOut(WorkFault):
    """The function's timeout."""

    name: Literal["time_out"] = "time_out"


class Terminate(WorkFault):
    """Canceled by somebody else."""

    name: Literal["terminate"] = "terminate"


class PickledChunk(WorkFault):
    """A chunk that makes the file ``path`` when it is unpickled."""

    name: Literal["pickled_chunk"] = "pickled_chunk"
    path: str


class PickledException(WorkFault):
    """A result, in place of what the container says next, that makes the file ``path`` when it is unpickled."""

    name: Literal["pickled_exception"] = "pickled_exception"
    path: str


class MalformedChunk(WorkFault):
    """A chunk that is no CBOR, or, with other ``hex`` digits, any that is."""

    name: Literal["malformed_chunk"] = "malformed_chunk"
    hex: str = "ffffff"


class OversizedChunk(WorkFault):
    """A chunk of so many bytes, far above what the real entry point sends in one."""

    name: Literal["oversized_chunk"] = "oversized_chunk"
    size: int = 8 * 1024 * 1024


class DuplicateChunks(WorkFault):
    """Each chunk twice: with the ``same`` index, which the client skips, or with an index of its own (``new``)."""

    name: Literal["duplicate_chunks"] = "duplicate_chunks"
    indices: Literal["same", "new"] = "new"


class CrashAtStart(WorkFault):
    """No container gets as far as running anything.

    The function's inputs fail after the third try; with ``endless``, never.
    """

    name: Literal["crash_at_start"] = "crash_at_start"
    endless: bool = False


class HoldStart(WorkFault):
    """Containers wait ``seconds``, or until this fault is cleared, before they start."""

    name: Literal["hold_start"] = "hold_start"
    seconds: float | None = None


AnyFault = Annotated[
    Silent
    | BadToken
    | NotDeployed
    | WrongEnvironment
    | Exhausted
    | CancelFails
    | Refuse
    | Drop
    | Kill
    | OutOfMemory
    | Preempt
    | TimeOut
    | Terminate
    | PickledChunk
    | PickledException
    | MalformedChunk
    | OversizedChunk
    | DuplicateChunks
    | CrashAtStart
    | HoldStart,
    Field(discriminator="name"),
]
reader: TypeAdapter[AnyFault] = TypeAdapter(AnyFault)
"""Reads a fault from JSON."""
