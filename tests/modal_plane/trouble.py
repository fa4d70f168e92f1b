"""Where faults strike what containers say: their chunks and results are passed on, altered, or lost."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import cbor2
from modal_proto import api_pb2 as pb

from tests.modal_plane import faults
from tests.modal_plane.arming import Faults
from tests.modal_plane.calls import Input

if TYPE_CHECKING:
    from tests.modal_plane.containers import Container

Result = pb.GenericResult
STATUSES = {
    "failure": Result.GENERIC_STATUS_FAILURE,
    "internal_failure": Result.GENERIC_STATUS_INTERNAL_FAILURE,
    "kernel_oom_kill": Result.GENERIC_STATUS_KERNEL_OOM_KILL,
}


class Maker:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (Path(self.path),)


async def chunks(container: Container, given: Input, said: Iterable[pb.DataChunk]) -> None:
    """Pass a generator's chunks on, as far as the faults let them."""
    call, active = given.call, container.function.plane.faults
    name = container.definition.function_name
    try:
        for chunk in said:
            if container.then is not None or await _struck(container, given, len(call.chunks)):
                return
            chunk.index += given.shift
            if bad := _replaced(active, name, len(call.chunks)):
                chunk.data_format, chunk.data = bad
            call.chunks.append(chunk)
            if twice := active.strike(faults.DuplicateChunks, name, len(call.chunks)):
                given.shift += twice.indices == "new"
                again = pb.DataChunk()
                again.CopyFrom(chunk)
                again.index += twice.indices == "new"
                call.chunks.append(again)
    finally:
        await call.changes.tell()


async def result(container: Container, given: Input, item: pb.FunctionPutOutputsItem) -> bool:
    """Return whether the result is to be passed on; it may be another one by then."""
    if container.then is not None:
        return False
    if item.data_format == pb.DATA_FORMAT_GENERATOR_DONE:
        # The client stops listening after so many chunks.
        done = pb.GeneratorDone.FromString(item.result.data)
        done.items_total += given.shift
        item.result.data = done.SerializeToString()
        return True
    if container.definition.function_type == pb.Function.FUNCTION_TYPE_GENERATOR:
        return True
    if await _struck(container, given, 0):
        return False
    if bad := _replaced(container.function.plane.faults, container.definition.function_name, 0):
        item.data_format, item.result.data = bad
    return True


def _replaced(active: Faults, name: str, said: int) -> tuple[pb.DataFormat.ValueType, bytes] | None:
    if pickled := active.strike(faults.PickledChunk, name, said):
        return pb.DATA_FORMAT_PICKLE, pickle.dumps(Maker(pickled.path))
    if malformed := active.strike(faults.MalformedChunk, name, said):
        return pb.DATA_FORMAT_CBOR, bytes.fromhex(malformed.hex)
    if large := active.strike(faults.OversizedChunk, name, said):
        return pb.DATA_FORMAT_CBOR, cbor2.dumps(bytes(large.size))
    return None


async def _struck(container: Container, given: Input, said: int) -> bool:
    """Let a fault strike that ends the container; return whether one did."""
    function = container.function
    plane, name = function.plane, container.definition.function_name
    active = plane.faults
    assert plane.port is not None
    if active.strike(faults.Drop, name, said):
        plane.port.cut()
    if active.strike(faults.Refuse, name, said):
        await plane.port.shut()
    if kill := active.strike(faults.Kill, name, said):
        container.kill(kill.then)
    elif preempt := active.strike(faults.Preempt, name, said):
        if preempt.indices == "go_on" and given.call.chunks:
            given.shift = max(chunk.index for chunk in given.call.chunks)
        if preempt.gently:
            container.interrupt()
        else:
            container.kill("restart")
    elif active.strike(faults.TimeOut, name, said):
        await function.time_out(given)
    elif verdict := _verdict(active, container, said):
        output, data_format = verdict
        await function.finish(given, output, data_format=data_format)
        container.kill("restart")
    else:
        return False
    return True


def _verdict(active: Faults, container: Container, said: int) -> tuple[Result, pb.DataFormat.ValueType] | None:
    """Return the result that a fault puts in place of everything that was still to come."""
    name = container.definition.function_name
    if memory := active.strike(faults.OutOfMemory, name, said):
        text = f"Container {container.id} ran out of memory (OOM) and was killed: exit code 137"
        return Result(status=STATUSES[memory.status], exception=text, exitcode=137), pb.DATA_FORMAT_UNSPECIFIED
    if active.strike(faults.Terminate, name, said):
        text = "Input was cancelled"
        return Result(status=Result.GENERIC_STATUS_TERMINATED, exception=text), pb.DATA_FORMAT_UNSPECIFIED
    if pickled := active.strike(faults.PickledException, name, said):
        data = pickle.dumps(Maker(pickled.path))
        output = Result(status=Result.GENERIC_STATUS_FAILURE, exception="ValueError('boom')", data=data)
        return output, pb.DATA_FORMAT_PICKLE
    return None
