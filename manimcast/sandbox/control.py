"""What the service and the zygote say to each other.

They talk over a SOCK_SEQPACKET socket, one small JSON object a packet. Nothing of a job is ever in it: a render is
a number, and what it reads and writes are descriptors that travel beside the packet, unread by the zygote.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from manimcast.spec import Strict

MAX_PACKET = 16_384


class Launch(Strict):
    """To the zygote: fork a child. Beside it three descriptors: the wire, the place of its files, the log.

    The place is a working directory or, where children have file systems of their own, a socket for it.
    """

    type: Literal["launch"] = "launch"
    number: int


class Kill(Strict):
    """To the zygote: end a render and every process that it started."""

    type: Literal["kill"] = "kill"
    number: int


class Ping(Strict):
    """To the zygote: say that you live."""

    type: Literal["ping"] = "ping"


class Retire(Strict):
    """To the zygote: exit when the last render has ended."""

    type: Literal["retire"] = "retire"


class Ready(Strict):
    """From the zygote: it is warm. ``complaint`` is what whoever runs the service should hear of it."""

    type: Literal["ready"] = "ready"
    fingerprint: dict[str, str]
    complaint: str | None = None


class Exited(Strict):
    """From the zygote: a render ended. ``status`` is its exit status, or minus the signal that ended it.

    ``reason`` says which of the zygote's own limits ended it, if one did, and ``refused`` that the host did not even
    let it be forked; times are in seconds of CPU.
    """

    type: Literal["exited"] = "exited"
    number: int
    status: int
    refused: bool = False
    reason: Literal["memory", "processes"] | None = None
    user_time: float = 0
    system_time: float = 0
    max_rss_mib: float = 0


class Pong(Strict):
    """From the zygote: it lives."""

    type: Literal["pong"] = "pong"


ToZygote = Annotated[Launch | Kill | Ping | Retire, Field(discriminator="type")]
FromZygote = Annotated[Ready | Exited | Pong, Field(discriminator="type")]

_to: TypeAdapter[ToZygote] = TypeAdapter(ToZygote)
_from: TypeAdapter[FromZygote] = TypeAdapter(FromZygote)


def pack(message: ToZygote | FromZygote) -> bytes:
    """Return ``message`` as one packet."""
    return message.model_dump_json().encode()


def unpack_order(packet: bytes) -> ToZygote:
    """Return what the service sent."""
    return _to.validate_json(packet)


def unpack_report(packet: bytes) -> FromZygote:
    """Return what the zygote sent."""
    return _from.validate_json(packet)
