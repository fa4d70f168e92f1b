"""A function: its inputs that wait, its containers, and how many of those there should be."""

from __future__ import annotations

import collections
import time
from typing import TYPE_CHECKING

from modal_proto import api_pb2 as pb

from tests.modal_plane.calls import Call, Changes, Input
from tests.modal_plane.containers import Container

if TYPE_CHECKING:
    from tests.modal_plane.plane import Plane

MOST_CONTAINERS = 8
"""Containers of one function at once when its definition does not say; this is one machine."""
SCALEDOWN_WINDOW = 60
"""Seconds after which an idle container goes when its definition does not say."""
CRASHES = 3
"""Containers in a row that may die before the inputs fail."""
CRASH_PAUSE = 0.1
"""Seconds before the first new container after a crash; doubles with each."""

Result = pb.GenericResult
FINAL = (Result.GENERIC_STATUS_SUCCESS, Result.GENERIC_STATUS_TERMINATED)


class Function:
    """A function of an app, as of its last deploy."""

    def __init__(self, plane: Plane, function_id: str, app_id: str, definition: pb.Function) -> None:
        self.plane = plane
        self.id = function_id
        self.app_id = app_id
        self.definition = definition
        self.stopped = False
        self.pending: collections.deque[Input] = collections.deque()
        self.containers: dict[str, Container] = {}
        self.changes = Changes()
        self.crashes = 0
        self.paused_until = 0.0

    async def deploy(self, definition: pb.Function) -> None:
        """Take a new definition: containers of the old one finish what they run and get nothing new."""
        self.definition = definition
        self.stopped = False
        for container in self.containers.values():
            container.ending = True
        await self.adjust()

    async def stop(self) -> None:
        """End everything: the containers are killed, the inputs are over."""
        self.stopped = True
        result = Result(status=Result.GENERIC_STATUS_TERMINATED, exception="The app was stopped")
        for container in list(self.containers.values()):
            for given in list(container.inputs.values()):
                await self.finish(given, result)
            container.kill("fail")
        while self.pending:
            await self.finish(self.pending.popleft(), result)
        await self.changes.tell()

    async def submit(self, given: Input, *, first: bool = False) -> None:
        """Queue an input, before all others if ``first``."""
        given.state = "queued"
        given.container = None
        if first:
            self.pending.appendleft(given)
        else:
            self.pending.append(given)
        await self.adjust()

    async def adjust(self) -> None:
        """Start as many containers as are missing, not start what is too many, and let those that wait look again."""
        settings = self.definition.autoscaler_settings
        current = [container for container in self.containers.values() if not container.ending]
        busy = sum(1 for container in current if container.inputs)
        work = busy + len(self.pending)
        wanted = max(settings.min_containers, work + settings.buffer_containers if work else 0)
        wanted = min(wanted, settings.max_containers or MOST_CONTAINERS)
        if not self.stopped and not self.plane.closing and time.monotonic() >= self.paused_until:
            for _ in range(wanted - len(current)):
                container = Container(self)
                self.containers[container.id] = container
                self.plane.spawn(self._live(container))
        unborn = [container for container in current if not container.started]
        for container in unborn[: max(0, len(current) - wanted)]:
            container.ending = True
        await self.changes.tell()

    async def next_input(self, container: Container) -> Input | None:
        """Wait for an input for ``container``; None when it should end instead."""
        window = container.definition.autoscaler_settings.scaledown_window or SCALEDOWN_WINDOW
        container.asked = container.idle = True
        try:
            while not container.ending and not self.pending:
                came = await self.changes.wait_for(lambda: container.ending or self.pending, window)
                if not came and self._may_go():
                    container.ending = True
        finally:
            container.idle = False
        if container.ending:
            return None
        given = self.pending.popleft()
        self._begin(given, container)
        return given

    async def finish(self, given: Input, result: Result, **details: object) -> None:
        """Settle an input, or try it again when its retries say so."""
        if given.state == "done":
            return
        if given.timer is not None:
            given.timer.cancel()
        if given.container is not None:
            given.container.inputs.pop(given.id, None)
        policy = self.definition.retry_policy
        by_server = given.call.invocation == pb.FUNCTION_CALL_INVOCATION_TYPE_ASYNC
        if by_server and result.status not in FINAL and given.retry_count < policy.retries:
            given.retry_count += 1
            given.state = "waiting"
            pause = policy.initial_delay_ms / 1000 * policy.backoff_coefficient ** (given.retry_count - 1)
            self.plane.later(max(1.0, pause), self._again, given)
            return
        if result.status == Result.GENERIC_STATUS_SUCCESS:
            self.crashes = 0
        given.state = "done"
        given.status = Result.GenericStatus.Name(result.status).removeprefix("GENERIC_STATUS_").lower()
        output = pb.FunctionGetOutputsItem(
            result=result,
            idx=given.index,
            input_id=given.id,
            task_id=given.container.id if given.container else "",
            output_created_at=time.time(),
            retry_count=given.retry_count,
            **details,  # type: ignore[arg-type]
        )
        given.call.outputs.append(output)
        await given.call.changes.tell()

    async def retry(self, given: Input, retry_count: int) -> None:
        """Run a settled input once more, because the client says so."""
        given.call.outputs = [output for output in given.call.outputs if output.idx != given.index]
        given.retry_count = retry_count or given.retry_count + 1
        await self.submit(given)

    async def cancel(self, call: Call, *, terminate: bool) -> None:
        """Cancel a call: what waits is over, what runs is told, or killed when ``terminate``."""
        call.canceled = True
        result = Result(status=Result.GENERIC_STATUS_TERMINATED, exception="Input was cancelled by user")
        for given in list(call.inputs.values()):
            container = given.container
            if given.state != "running" or container is None:
                if given in self.pending:
                    self.pending.remove(given)
                await self.finish(given, result)
            elif terminate:
                await self.finish(given, result)
                container.kill("restart")  # what else runs there
            else:
                container.cancellations.put_nowait(given.id)
        await self.adjust()

    def arguments(self, container: Container) -> pb.ContainerArguments:
        """Return what a container is told at its start."""
        app = self.plane.apps[self.app_id]
        return pb.ContainerArguments(
            task_id=container.id,
            function_id=self.id,
            app_id=self.app_id,
            function_def=container.definition,
            environment_name=app.environment,
            app_layout=self.plane.layout(app),
        )

    def _begin(self, given: Input, container: Container) -> None:
        given.state = "running"
        given.container = container
        given.runs += 1
        container.inputs[given.id] = given
        given.timer = self.plane.later(container.definition.timeout_secs or 300, self._expire, given, given.runs)

    async def _again(self, given: Input) -> None:
        if given.state == "waiting":
            await self.submit(given)

    async def _expire(self, given: Input, run: int) -> None:
        if given.state == "running" and given.runs == run and given.container is not None:
            await self.time_out(given)

    async def time_out(self, given: Input) -> None:
        """End an input because it took too long, and its container with it."""
        container = given.container
        assert container is not None
        seconds = container.definition.timeout_secs
        text = f"Task's current input {given.id} hit its timeout of {seconds}s"
        await self.finish(given, Result(status=Result.GENERIC_STATUS_TIMEOUT, exception=text))
        container.kill("restart")

    def _may_go(self) -> bool:
        """Whether an idle container is one too many."""
        settings = self.definition.autoscaler_settings
        current = [container for container in self.containers.values() if not container.ending]
        busy = sum(1 for container in current if container.inputs)
        keep = max(settings.min_containers, busy + settings.buffer_containers if busy else 0)
        return len(current) > keep

    async def _live(self, container: Container) -> None:
        """See a container through its life, and to what it leaves behind."""
        try:
            status = await container.run()
        finally:
            del self.containers[container.id]
            container.ending = True
        crashed = container.then is None and (bool(container.inputs) or (not container.asked and status != 0))
        crashed = crashed or container.failure is not None
        if crashed:
            pause = min(CRASH_PAUSE * 2**self.crashes, 5)
            self.crashes += 1
            self.paused_until = time.monotonic() + pause
            self.plane.later(pause, self.adjust)
        too_often = self.crashes >= CRASHES and not container.endless
        died = Result(
            status=Result.GENERIC_STATUS_INTERNAL_FAILURE,
            exception=f"Container {container.id} exited with status {status}",
        )
        for given in list(container.inputs.values()):
            container.inputs.pop(given.id)
            if given.timer is not None:
                given.timer.cancel()
            if container.then == "fail" or (container.then is None and too_often):
                await self.finish(given, died)
            else:
                await self.submit(given, first=True)
        if crashed and too_often:
            failure = container.failure or Result(status=Result.GENERIC_STATUS_FAILURE, exception=died.exception)
            while self.pending:
                await self.finish(self.pending.popleft(), failure)
            self.crashes = 0
        await self.adjust()
