"""Writes the report of a control plane's state."""

from __future__ import annotations

from modal_proto import api_pb2 as pb

from tests.modal_plane import scene_user
from tests.modal_plane.calls import Call
from tests.modal_plane.functions import Function
from tests.modal_plane.images import layers
from tests.modal_plane.plane import Plane
from tests.modal_plane.report import (
    AppReport,
    CallReport,
    ContainerReport,
    FaultReport,
    FunctionReport,
    ImageReport,
    LogReport,
    Report,
)


def write(plane: Plane) -> Report:
    """Return what there is right now."""
    return Report(
        scene_user=scene_user.substitute(),
        environments=list(plane.environments),
        apps=[
            AppReport(
                id=app.id,
                name=app.name,
                description=app.description,
                environment=app.environment,
                state=pb.AppState.Name(app.state).removeprefix("APP_STATE_").lower(),
                versions=len(app.versions),
            )
            for app in plane.apps.values()
        ],
        functions=[_function(plane, function) for function in plane.functions.values()],
        containers=[
            ContainerReport(
                id=container.id,
                pid=container.pid,
                function=container.definition.function_name,
                app=container.function.app_id,
                inputs=list(container.inputs),
                calls=[given.call.id for given in container.inputs.values()],
                idle=container.idle,
                asked=container.asked,
            )
            for container in plane.running()
        ],
        calls=[_call(call) for call in plane.calls.values()],
        images=[
            ImageReport(
                id=image_id,
                commands=[line for layer in layers(plane.images, image_id) for line in layer.dockerfile_commands],
                context_files=[
                    file.filename for layer in layers(plane.images, image_id) for file in layer.context_files
                ],
            )
            for image_id in plane.images
        ],
        faults=[
            FaultReport(id=armed.id, name=armed.fault.name, struck=armed.struck, cleared=armed.cleared.is_set())
            for armed in plane.faults.armed
        ],
        logs=[LogReport(container=entry.container_id, text=entry.text) for entry in plane.logs.entries],
        requests=dict(plane.requests),
        unimplemented=dict(plane.unimplemented),
        errors=plane.errors,
    )


def _function(plane: Plane, function: Function) -> FunctionReport:
    definition, app = function.definition, plane.apps[function.app_id]
    settings = definition.autoscaler_settings
    return FunctionReport(
        id=function.id,
        name=definition.function_name,
        app=app.name or app.description,
        environment=app.environment,
        deployed=function.id in app.functions.values() and not function.stopped,
        generator=definition.function_type == pb.Function.FUNCTION_TYPE_GENERATOR,
        cpu=definition.resources.milli_cpu / 1000,
        memory=definition.resources.memory_mb,
        timeout=definition.timeout_secs,
        retries=definition.retry_policy.retries,
        block_network=definition.block_network,
        restrict_modal_access=definition.untrusted,
        single_use_containers=definition.single_use_containers,
        snapshot=definition.checkpointing_enabled,
        min_containers=settings.min_containers,
        buffer_containers=settings.buffer_containers,
        max_containers=settings.max_containers,
        scaledown_window=settings.scaledown_window,
        secrets=len(definition.secret_ids),
        input_formats=[_format(number) for number in definition.supported_input_formats],
        output_formats=[_format(number) for number in definition.supported_output_formats],
        image=definition.image_id,
        pending=len(function.pending),
    )


def _call(call: Call) -> CallReport:
    inputs = list(call.inputs.values())
    formats = {chunk.data_format for chunk in call.chunks} | {output.data_format for output in call.outputs}
    return CallReport(
        id=call.id,
        function=call.function.definition.function_name,
        states=[given.state for given in inputs],
        statuses=[given.status for given in inputs],
        runs=[given.runs for given in inputs],
        retries=[given.retry_count for given in inputs],
        chunks=len(call.chunks),
        canceled=call.canceled,
        formats=sorted(_format(number) for number in formats),
    )


def _format(number: pb.DataFormat.ValueType) -> str:
    return str(pb.DataFormat.Name(number).removeprefix("DATA_FORMAT_").lower())
