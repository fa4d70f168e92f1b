"""Function calls and their inputs: what was asked for, and what came of it so far."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sized
from typing import TYPE_CHECKING, Literal

from modal._utils.jwt_utils import DecodedJwt
from modal_proto import api_pb2 as pb

from tests.modal_plane.ids import new_id

if TYPE_CHECKING:
    from tests.modal_plane.containers import Container
    from tests.modal_plane.functions import Function

InputState = Literal["queued", "running", "waiting", "done"]
"""``waiting`` is the pause before the next try of a failed input."""


class Changes:
    """Something that changes, and that others wait for."""

    def __init__(self) -> None:
        self._condition = asyncio.Condition()

    async def tell(self) -> None:
        """Let everybody who waits look again."""
        async with self._condition:
            self._condition.notify_all()

    async def wait_for(self, predicate: Callable[[], object], timeout: float | None = None) -> bool:
        """Wait until ``predicate`` holds, at most ``timeout`` seconds; return whether it does."""
        async with self._condition:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._condition.wait_for(lambda: bool(predicate()))
            return bool(predicate())

    async def wait_for_more(self, things: Sized, than: int, timeout: float) -> None:
        """Wait until there are more ``things`` than so many, at most ``timeout`` seconds."""
        await self.wait_for(lambda: len(things) > than, timeout)


class Input:
    """One input of a call. ``runs`` counts the containers that began it, ``retry_count`` the client's further tries."""

    def __init__(self, call: Call, index: int, message: pb.FunctionInput) -> None:
        self.id = new_id("in")
        self.call = call
        self.index = index
        self.message = message
        self.retry_count = 0
        self.runs = 0
        self.state: InputState = "queued"
        self.status = ""
        self.container: Container | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.shift = 0
        """Added to the indices of what a further run yields; see ``faults.Preempt``."""

    @property
    def jwt(self) -> str:
        """What the client names this input by."""
        return DecodedJwt.encode_without_signature({"idx": self.index, "function_call_id": self.call.id})


class Call:
    """One call of a function."""

    def __init__(self, function: Function, request: pb.FunctionMapRequest) -> None:
        self.id = new_id("fc")
        self.function = function
        self.type = request.function_call_type
        self.invocation = request.function_call_invocation_type
        self.inputs: dict[int, Input] = {}
        self.outputs: list[pb.FunctionGetOutputsItem] = []
        self.chunks: list[pb.DataChunk] = []
        """What a generator yielded, in the order of arrival."""
        self.canceled = False
        self.changes = Changes()

    @property
    def jwt(self) -> str:
        """What the client names this call by."""
        return DecodedJwt.encode_without_signature({"function_call_id": self.id})

    def add(self, item: pb.FunctionPutInputsItem) -> Input:
        """Take an input in."""
        self.inputs[item.idx] = Input(self, item.idx, item.input)
        return self.inputs[item.idx]
