"""Calls that both clients and containers may make: look a function up, call it, wait for what comes, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from grpclib import GRPCError, Status
from modal._utils.jwt_utils import DecodedJwt
from modal_proto import api_pb2 as pb

from tests.modal_plane.calls import Call
from tests.modal_plane.ids import new_id
from tests.modal_plane.plane import DEFAULT_ENVIRONMENT, IMAGE_BUILDER, App
from tests.modal_plane.serving import Service, streaming, unary

STREAM_SECONDS = 50.0
"""How long a stream of a generator's chunks is served before the client has to ask again."""


class Calling(Service):
    """Functions, their calls, and the blob store for what is too large for a message."""

    @unary
    async def BlobCreate(self, request: pb.BlobCreateRequest) -> pb.BlobCreateResponse:  # noqa: N802
        blob_id = new_id("bl")
        urls = pb.UploadUrlList(items=[f"{self.plane.address}/blobs/{blob_id}"])
        return pb.BlobCreateResponse(blob_ids=[blob_id], upload_urls=urls)

    @unary
    async def BlobGet(self, request: pb.BlobGetRequest) -> pb.BlobGetResponse:  # noqa: N802
        return pb.BlobGetResponse(download_url=f"{self.plane.address}/blobs/{request.blob_id}")

    @unary
    async def EnvironmentGetOrCreate(  # noqa: N802
        self, request: pb.EnvironmentGetOrCreateRequest
    ) -> pb.EnvironmentGetOrCreateResponse:
        name = request.deployment_name or DEFAULT_ENVIRONMENT
        if request.object_creation_type == pb.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
            self.plane.environments.setdefault(name, new_id("en"))
        self.check_environment(name)
        settings = pb.EnvironmentSettings(image_builder_version=IMAGE_BUILDER)
        return pb.EnvironmentGetOrCreateResponse(
            environment_id=self.plane.environments[name],
            metadata=pb.EnvironmentMetadata(name=name, settings=settings),
        )

    @unary
    async def FunctionGet(self, request: pb.FunctionGetRequest) -> pb.FunctionGetResponse:  # noqa: N802
        app = self.app_named(request.environment_name, request.app_name)
        function_id = app.functions.get(request.object_tag)
        if function_id is None:
            raise GRPCError(Status.NOT_FOUND, f"App '{request.app_name}' has no Function '{request.object_tag}'")
        definition = self.plane.functions[function_id].definition
        return pb.FunctionGetResponse(
            function_id=function_id, handle_metadata=self.plane.handles[function_id], function=function_data(definition)
        )

    @unary
    async def FunctionMap(self, request: pb.FunctionMapRequest) -> pb.FunctionMapResponse:  # noqa: N802
        function = self.plane.functions.get(request.function_id)
        if function is None or function.stopped:
            raise GRPCError(Status.NOT_FOUND, f"There is no running function {request.function_id}")
        call = Call(function, request)
        self.plane.calls[call.id] = call
        return pb.FunctionMapResponse(
            function_call_id=call.id,
            function_call_jwt=call.jwt,
            retry_policy=function.definition.retry_policy,
            sync_client_retries_enabled=True,
            max_inputs_outstanding=1000,
            pipelined_inputs=await self._submit(call, request.pipelined_inputs),
        )

    @unary
    async def FunctionPutInputs(self, request: pb.FunctionPutInputsRequest) -> pb.FunctionPutInputsResponse:  # noqa: N802
        call = self.call(request.function_call_id)
        return pb.FunctionPutInputsResponse(inputs=await self._submit(call, request.inputs))

    @unary
    async def FunctionFinishInputs(self, request: pb.FunctionFinishInputsRequest) -> None:  # noqa: N802
        self.call(request.function_call_id)

    @unary
    async def FunctionRetryInputs(  # noqa: N802
        self, request: pb.FunctionRetryInputsRequest
    ) -> pb.FunctionRetryInputsResponse:
        call = self.call(_claims(request.function_call_jwt, "function_call_id"))
        again = [(call.inputs[int(_claims(item.input_jwt, "idx"))], item.retry_count) for item in request.inputs]
        for given, count in again:
            await call.function.retry(given, count)
        return pb.FunctionRetryInputsResponse(input_jwts=[given.jwt for given, _ in again])

    @unary
    async def FunctionGetOutputs(  # noqa: N802
        self, request: pb.FunctionGetOutputsRequest
    ) -> pb.FunctionGetOutputsResponse:
        call = self.call(request.function_call_id)
        seen = int(request.last_entry_id.partition("-")[0] or 0)

        def ready() -> list[pb.FunctionGetOutputsItem]:
            if request.HasField("start_idx"):
                return [item for item in call.outputs if request.start_idx <= item.idx <= request.end_idx]
            return call.outputs[seen:]

        await call.changes.wait_for(ready, max(request.timeout, 0.001))
        outputs = ready()
        unfinished = sum(1 for given in call.inputs.values() if given.state != "done")
        return pb.FunctionGetOutputsResponse(
            outputs=outputs, last_entry_id=f"{seen + len(outputs)}-0", num_unfinished_inputs=unfinished
        )

    @streaming
    async def FunctionCallGetDataOut(  # noqa: N802
        self, request: pb.FunctionCallGetDataRequest
    ) -> AsyncGenerator[pb.DataChunk, None]:
        call = self.call(request.function_call_id)
        end = asyncio.get_running_loop().time() + STREAM_SECONDS
        sent = 0
        while (left := end - asyncio.get_running_loop().time()) > 0:
            while sent < len(call.chunks):
                sent += 1
                # A chunk that the client has seen is not sent again when it asks again; but what comes a second time
                # while it listens does reach it, and it drops it by itself.
                if call.chunks[sent - 1].index > request.last_index:
                    yield call.chunks[sent - 1]
            await call.changes.wait_for_more(call.chunks, sent, left)

    @unary
    async def FunctionCallCancel(self, request: pb.FunctionCallCancelRequest) -> None:  # noqa: N802
        call = self.call(request.function_call_id)
        await call.function.cancel(call, terminate=request.terminate_containers)

    @unary
    async def FunctionCallFromId(  # noqa: N802
        self, request: pb.FunctionCallFromIdRequest
    ) -> pb.FunctionCallFromIdResponse:
        call = self.call(request.function_call_id)
        handle = pb.FunctionCallHandleMetadata(app_id=call.function.app_id, function_id=call.function.id)
        return pb.FunctionCallFromIdResponse(function_call_id=call.id, num_inputs=len(call.inputs), metadata=handle)

    def call(self, call_id: str) -> Call:
        """Return a call, or raise NOT_FOUND."""
        if (call := self.plane.calls.get(call_id)) is None:
            raise GRPCError(Status.NOT_FOUND, f"There is no function call {call_id}")
        return call

    def check_environment(self, name: str) -> None:
        """Raise NOT_FOUND if there is no such environment."""
        if (name or DEFAULT_ENVIRONMENT) not in self.plane.environments:
            raise GRPCError(Status.NOT_FOUND, f"Environment '{name}' not found")

    def app_named(self, environment: str, name: str) -> App:
        """Return a deployed app, or raise NOT_FOUND."""
        self.check_environment(environment)
        if (app := self.plane.deployed(environment, name)) is None:
            where = environment or DEFAULT_ENVIRONMENT
            raise GRPCError(Status.NOT_FOUND, f"App '{name}' not found in environment '{where}'")
        return app

    async def _submit(self, call: Call, items: object) -> list[pb.FunctionPutInputsResponseItem]:
        answers = []
        for item in items:  # type: ignore[attr-defined]
            given = call.add(item)
            self.plane.inputs[given.id] = given
            await call.function.submit(given)
            answers.append(pb.FunctionPutInputsResponseItem(idx=given.index, input_id=given.id, input_jwt=given.jwt))
        return answers


def function_data(definition: pb.Function) -> pb.FunctionData:
    """Return a definition as look-ups tell it."""
    ranked = pb.FunctionData.RankedFunction(rank=0, function=definition)
    return pb.FunctionData(function_name=definition.function_name, ranked_functions=[ranked])


def _claims(token: str, name: str) -> str:
    return str(DecodedJwt.decode_without_verification(token).payload[name])
