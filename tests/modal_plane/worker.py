"""What one container talks to, over a socket of its own: it takes inputs and hands back what comes of them."""

from __future__ import annotations

import asyncio
from typing import Any

from grpclib import GRPCError, Status
from grpclib.server import Stream
from modal_proto import api_pb2 as pb

from tests.modal_plane import trouble
from tests.modal_plane.calling import Calling
from tests.modal_plane.containers import Container
from tests.modal_plane.plane import Plane
from tests.modal_plane.serving import unary

HEARTBEAT_SECONDS = 14.5
"""How long a heartbeat waits for a cancellation; the container gives up after 15.1 s and pauses until 15."""
ALWAYS = frozenset({
    "BlobCreate",
    "BlobGet",
    "ContainerHeartbeat",
    "ContainerHello",
    "FunctionCallPutDataOut",
    "FunctionGetInputs",
    "FunctionPutOutputs",
    "TaskResult",
})  # fmt: skip
"""What a container may call even when its function's access to Modal is restricted."""


class Worker(Calling):
    """The service of one container."""

    def __init__(self, plane: Plane, container: Container) -> None:
        super().__init__(plane)
        self.container = container

    async def admit(self, name: str, stream: Stream[Any, Any]) -> None:
        """Refuse what a container with restricted access has no business with."""
        await super().admit(name, stream)
        if self.container.definition.untrusted and name not in ALWAYS:
            raise GRPCError(Status.PERMISSION_DENIED, f"{name} is not allowed in a container with restricted access")

    @unary
    async def ContainerHello(self, request: object) -> None:  # noqa: N802
        """Nothing to say."""

    @unary
    async def ContainerHeartbeat(self, request: pb.ContainerHeartbeatRequest) -> pb.ContainerHeartbeatResponse:  # noqa: N802
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                canceled = await self.container.cancellations.get()
        except TimeoutError:
            return pb.ContainerHeartbeatResponse()
        event = pb.CancelInputEvent(input_ids=[canceled], cancellation_reason="user")
        return pb.ContainerHeartbeatResponse(cancel_input_event=event)

    @unary
    async def FunctionGetInputs(self, request: pb.FunctionGetInputsRequest) -> pb.FunctionGetInputsResponse:  # noqa: N802
        given = await self.container.function.next_input(self.container)
        if given is None:
            return pb.FunctionGetInputsResponse(inputs=[pb.FunctionGetInputsItem(kill_switch=True)])
        item = pb.FunctionGetInputsItem(
            input_id=given.id,
            input=given.message,
            function_call_id=given.call.id,
            function_call_invocation_type=given.call.invocation,
            retry_count=given.retry_count,
        )
        return pb.FunctionGetInputsResponse(inputs=[item])

    @unary
    async def FunctionPutOutputs(self, request: pb.FunctionPutOutputsRequest) -> None:  # noqa: N802
        for item in request.outputs:
            given = self.container.inputs.get(item.input_id)
            if given is not None and await trouble.result(self.container, given, item):
                await self.container.function.finish(
                    given, item.result, data_format=item.data_format, input_started_at=item.input_started_at
                )

    @unary
    async def FunctionCallPutDataOut(self, request: pb.FunctionCallPutDataRequest) -> None:  # noqa: N802
        for given in self.container.inputs.values():
            if given.call.id == request.function_call_id:
                await trouble.chunks(self.container, given, request.data_chunks)
                return

    @unary
    async def TaskResult(self, request: pb.TaskResultRequest) -> None:  # noqa: N802
        self.container.failure = request.result

    @unary
    async def ContainerStop(self, request: pb.ContainerStopRequest) -> None:  # noqa: N802
        self.container.ending = True
        await self.container.function.changes.tell()
