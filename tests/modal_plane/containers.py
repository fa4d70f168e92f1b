"""One container: the real entry point of the client's container side, as a process on this machine.

It talks to the control plane over a socket of its own, so it needs, and has, no credentials. What is not enforced:
cores, memory, network, what it may call on Modal. See ``init.py`` for how it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from grpclib.server import Server
from modal._utils.grpc_utils import custom_detail_codec
from modal_proto import api_pb2 as pb

from tests.modal_plane import images, scene_user
from tests.modal_plane.calls import Input
from tests.modal_plane.faults import CrashAtStart, HoldStart, Then
from tests.modal_plane.ids import new_id
from tests.modal_plane.root import Root
from tests.modal_plane.serving import CONFIGURATION

if TYPE_CHECKING:
    from tests.modal_plane.functions import Function

INIT = Path(__file__).with_name("init.py")
GRACE_SECONDS = 10.0
"""How long a container may go on after it was told to give way."""
CRASHING = [sys.executable, "-I", "-S", "-c", "raise SystemExit('this container was told to crash at its start')"]


class Container:
    """A container of one function, from the decision to start it until nothing of it is left."""

    def __init__(self, function: Function) -> None:
        self.id = new_id("ta")
        self.function = function
        self.definition = function.definition
        self.inputs: dict[str, Input] = {}
        """The inputs that run here."""
        self.began = time.time()
        self.pid = 0
        self.started = False
        """Whether there is a process, or will be in a moment."""
        self.asked = False
        """Whether it got as far as asking for an input."""
        self.idle = False
        """Whether it waits for one."""
        self.ending = False
        """Whether it takes no more of them."""
        self.failure: pb.GenericResult | None = None
        """What it said of its own failure to start."""
        self.then: Then | None = None
        """What becomes of its inputs if it is killed; None: what Modal documents."""
        self.endless = False
        """Whether its failure to start is to be tried again without end."""
        self.cancellations: asyncio.Queue[str] = asyncio.Queue()
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> int:
        """Start, wait for the end, and return the exit status."""
        plane = self.function.plane
        command = await self._held() or [sys.executable, "-m", "modal._container_entrypoint"]
        if self.ending:
            return 0
        self.started = True
        directory = plane.directory / self.id
        directory.mkdir()
        root, socket = Root(directory), plane.directory / f"{self.id}.sock"
        server = Server([plane.worker(self)], config=CONFIGURATION, status_details_codec=custom_detail_codec)
        await server.start(path=str(socket))
        try:
            self._lay_out(root)
            return await self._run(command, root, socket)
        finally:
            server.close()
            await server.wait_closed()
            socket.unlink(missing_ok=True)
            root.remove()

    def kill(self, then: Then | None = None) -> None:
        """Kill its processes. ``then``: what becomes of the inputs that it had."""
        self.ending = True
        self.then = self.then or then
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        elif self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def interrupt(self) -> None:
        """Tell it that it has to give way; kill it if it has not gone after a while. Its input begins anew."""
        self.ending = True
        self.then = "restart"
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)
        self.function.plane.later(GRACE_SECONDS, self._kill_late)

    async def _kill_late(self) -> None:
        self.kill()

    async def _held(self) -> list[str] | None:
        """Wait for as long as a fault asks for; return another command when the start is to fail."""
        faults, name = self.function.plane.faults, self.definition.function_name
        for armed in list(faults.armed):
            if armed.left and isinstance(armed.fault, HoldStart) and armed.fault.function in {"", name}:
                armed.struck += 1
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(armed.fault.seconds):
                        await armed.cleared.wait()
        if crash := faults.strike(CrashAtStart, name):
            self.endless = crash.endless
            return CRASHING
        return None

    def _lay_out(self, root: Root) -> None:
        plane, definition = self.function.plane, self.definition
        for mount_id, at in images.copies(plane.images, definition.image_id):
            root.place(plane.mounts[mount_id], plane.files, at)
        for mount_id in definition.mount_ids:
            root.place(plane.mounts[mount_id], plane.files)
        (root.directory / "arguments").write_bytes(self.function.arguments(self).SerializeToString())

    async def _run(self, command: list[str], root: Root, socket: Path) -> int:
        plane = self.function.plane
        read, write = os.pipe()
        with os.fdopen(read) as report:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *[sys.executable, "-I", "-S", str(INIT), str(write), str(os.getpid()), *command],
                    pass_fds=[write],
                    cwd=root.start_in(images.workdir(plane.images, self.definition.image_id)),
                    env=self._environment(root, socket),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    start_new_session=True,
                )
            finally:
                os.close(write)
            self.pid = int(await asyncio.to_thread(report.readline) or 0)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        if self.ending:
            self.kill()
        await asyncio.gather(
            self._keep(self._process.stdout, pb.FILE_DESCRIPTOR_STDOUT),
            self._keep(self._process.stderr, pb.FILE_DESCRIPTOR_STDERR),
        )
        return await self._process.wait()

    async def _keep(self, stream: asyncio.StreamReader, source: pb.FileDescriptor.ValueType) -> None:
        while data := await stream.read(65536):
            calls = {running.call.id for running in self.inputs.values()}
            await self.function.plane.logs.add(
                data.decode(errors="replace"),
                time=time.time(),
                app_id=self.function.app_id,
                function_id=self.function.id,
                container_id=self.id,
                call_id=calls.pop() if len(calls) == 1 else "",
                source=source,
            )

    def _environment(self, root: Root, socket: Path) -> dict[str, str]:
        plane = self.function.plane
        chosen = images.environment(plane.images, self.definition.image_id)
        for secret_id in self.definition.secret_ids:
            chosen.update(plane.secrets[secret_id])
        chosen = {name: root.rewritten(value) for name, value in chosen.items()}
        if scene_user.VARIABLE in chosen:
            chosen[scene_user.VARIABLE] = scene_user.substitute()
        chosen["PYTHONPATH"] = ":".join(filter(None, [str(root.home), chosen.get("PYTHONPATH")]))
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(root.home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(root.temporary),
            "PYTHONUNBUFFERED": "1",
            **chosen,
            "MODAL_IS_REMOTE": "1",
            "MODAL_SERVER_URL": f"unix://{socket}",
            "MODAL_TASK_ID": self.id,
            "MODAL_IMAGE_ID": self.definition.image_id,
            "MODAL_ENVIRONMENT": plane.apps[self.function.app_id].environment,
            "MODAL_REGION": "here",
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_UNSPECIFIED",
            "MODAL_IDENTITY_TOKEN": "a-token-that-no-scene-may-see",
            "MODAL_CONTAINER_ARGUMENTS_PATH": str(root.directory / "arguments"),
        }
