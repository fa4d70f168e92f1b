"""Calls that a deploy makes for what an app consists of: images, mounts, secrets, functions, classes."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from tests.modal_plane.calling import Calling, function_data
from tests.modal_plane.functions import Function
from tests.modal_plane.ids import new_id
from tests.modal_plane.plane import Definition
from tests.modal_plane.serving import streaming, unary

SUCCESS = pb.GenericResult(status=pb.GenericResult.GENERIC_STATUS_SUCCESS)


class Objects(Calling):
    """Taking definitions. Images are accepted as they come and never built."""

    @unary
    async def ImageGetOrCreate(self, request: pb.ImageGetOrCreateRequest) -> pb.ImageGetOrCreateResponse:  # noqa: N802
        digest = hashlib.sha256(request.image.SerializeToString(deterministic=True)).hexdigest()
        image_id = f"im-{digest[:22]}"
        self.plane.images[image_id] = request.image
        metadata = pb.ImageMetadata(image_builder_version=request.builder_version)
        return pb.ImageGetOrCreateResponse(image_id=image_id, result=SUCCESS, metadata=metadata)

    @streaming
    async def ImageJoinStreaming(  # noqa: N802
        self, request: pb.ImageJoinStreamingRequest
    ) -> AsyncGenerator[pb.ImageJoinStreamingResponse, None]:
        yield pb.ImageJoinStreamingResponse(result=SUCCESS, eof=True)

    @unary
    async def ImageFromId(self, request: pb.ImageFromIdRequest) -> pb.ImageFromIdResponse:  # noqa: N802
        if request.image_id not in self.plane.images:
            raise GRPCError(Status.NOT_FOUND, f"There is no image {request.image_id}")
        return pb.ImageFromIdResponse(image_id=request.image_id)

    @unary
    async def MountBatchedCheckExistence(  # noqa: N802
        self, request: pb.MountBatchedCheckExistenceRequest
    ) -> pb.MountBatchedCheckExistenceResponse:
        missing = [digest for digest in request.sha256_hex_hashes if digest not in self.plane.files]
        return pb.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    @unary
    async def MountPutFile(self, request: pb.MountPutFileRequest) -> pb.MountPutFileResponse:  # noqa: N802
        if request.data_blob_id:
            self.plane.files[request.sha256_hex] = self.plane.blobs[request.data_blob_id]
        elif request.data:
            self.plane.files[request.sha256_hex] = request.data
        return pb.MountPutFileResponse(exists=request.sha256_hex in self.plane.files)

    @unary
    async def MountGetOrCreate(self, request: pb.MountGetOrCreateRequest) -> pb.MountGetOrCreateResponse:  # noqa: N802
        # A mount with a name is one of Modal's own, such as the client's code: containers here have that anyway.
        mount_id = f"mo-{request.deployment_name}" if request.deployment_name else new_id("mo")
        self.plane.mounts[mount_id] = list(request.files)
        digest = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
        metadata = pb.MountHandleMetadata(content_checksum_sha256_hex=digest)
        return pb.MountGetOrCreateResponse(mount_id=mount_id, handle_metadata=metadata)

    @unary
    async def SecretGetOrCreate(self, request: pb.SecretGetOrCreateRequest) -> pb.SecretGetOrCreateResponse:  # noqa: N802
        if request.deployment_name:
            raise GRPCError(Status.NOT_FOUND, f"Secret '{request.deployment_name}' not found")
        secret_id = new_id("st")
        self.plane.secrets[secret_id] = dict(request.env_dict)
        return pb.SecretGetOrCreateResponse(secret_id=secret_id)

    @unary
    async def FunctionPrecreate(self, request: pb.FunctionPrecreateRequest) -> pb.FunctionPrecreateResponse:  # noqa: N802
        function_id = request.existing_function_id or new_id("fu")
        handle = pb.FunctionHandleMetadata(
            function_name=request.function_name,
            function_type=request.function_type,
            function_schema=request.function_schema,
            app_id=request.app_id,
            supported_input_formats=request.supported_input_formats,
            supported_output_formats=request.supported_output_formats,
        )
        _add_methods(handle, request.method_definitions)
        self.plane.handles.setdefault(function_id, handle)
        return pb.FunctionPrecreateResponse(function_id=function_id, handle_metadata=handle)

    @unary
    async def FunctionCreate(self, request: pb.FunctionCreateRequest) -> pb.FunctionCreateResponse:  # noqa: N802
        definition = request.function
        function_id = request.existing_function_id or new_id("fu")
        definition_id = new_id("de")
        if function_id not in self.plane.functions:
            self.plane.functions[function_id] = Function(self.plane, function_id, request.app_id, definition)
        handle = pb.FunctionHandleMetadata(
            function_name=definition.function_name,
            function_type=definition.function_type,
            function_schema=definition.function_schema,
            app_id=request.app_id,
            definition_id=definition_id,
            supported_input_formats=definition.supported_input_formats,
            supported_output_formats=definition.supported_output_formats,
            class_parameter_info=definition.class_parameter_info,
            is_method=definition.is_method,
        )
        _add_methods(handle, definition.method_definitions)
        self.plane.definitions[definition_id] = Definition(definition, handle)
        return pb.FunctionCreateResponse(
            function_id=function_id,
            function=definition,
            function_data=function_data(definition),
            handle_metadata=handle,
        )

    @unary
    async def ClassCreate(self, request: pb.ClassCreateRequest) -> pb.ClassCreateResponse:  # noqa: N802
        class_id = request.existing_class_id or new_id("cs")
        return pb.ClassCreateResponse(class_id=class_id, handle_metadata=pb.ClassHandleMetadata())

    @unary
    async def ClassGet(self, request: pb.ClassGetRequest) -> pb.ClassGetResponse:  # noqa: N802
        app = self.app_named(request.environment_name, request.app_name)
        if (class_id := app.classes.get(request.object_tag)) is None:
            raise GRPCError(Status.NOT_FOUND, f"App '{request.app_name}' has no Class '{request.object_tag}'")
        return pb.ClassGetResponse(class_id=class_id, handle_metadata=pb.ClassHandleMetadata())


def _add_methods(handle: pb.FunctionHandleMetadata, methods: Mapping[str, pb.MethodDefinition]) -> None:
    for name, method in methods.items():
        metadata = pb.FunctionHandleMetadata(
            function_name=method.function_name,
            use_method_name=name,
            is_method=True,
            function_type=method.function_type,
            function_schema=method.function_schema,
            app_id=handle.app_id,
            supported_input_formats=method.supported_input_formats,
            supported_output_formats=method.supported_output_formats,
        )
        handle.method_handle_metadata[name].CopyFrom(metadata)
