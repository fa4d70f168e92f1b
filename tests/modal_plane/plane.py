"""The state of the control plane: everything that clients made, and what runs of it."""

from __future__ import annotations

import asyncio
import collections
import hashlib
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modal_proto import api_pb2 as pb

from tests.modal_plane.arming import Faults
from tests.modal_plane.calls import Call, Input
from tests.modal_plane.functions import Function
from tests.modal_plane.ids import new_id
from tests.modal_plane.logs import Logs

if TYPE_CHECKING:
    from tests.modal_plane.containers import Container
    from tests.modal_plane.serving import Port, Service

DEFAULT_ENVIRONMENT = "main"
IMAGE_BUILDER = "2025.06"


@dataclass(frozen=True)
class Definition:
    """What a function is, and what look-ups tell of it."""

    function: pb.Function
    handle: pb.FunctionHandleMetadata


@dataclass(frozen=True)
class Version:
    """One deploy of an app: its functions' definitions by their ids."""

    number: int
    deployed_at: float
    functions: dict[str, str]
    classes: dict[str, str]
    definitions: dict[str, str]
    request: pb.AppPublishRequest


@dataclass
class App:
    """An app: deployed under a name, or running for as long as a client does."""

    id: str
    description: str
    environment: str
    state: pb.AppState.ValueType
    created_at: float = field(default_factory=time.time)
    deployed_at: float = 0.0
    stopped_at: float = 0.0
    name: str = ""
    functions: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)

    @property
    def lifecycle(self) -> pb.AppLifecycle:
        """Where it is in its life, as the client reads it."""
        return pb.AppLifecycle(
            app_state=self.state,
            created_at=self.created_at,
            deployed_at=self.deployed_at,
            stopped_at=self.stopped_at,
            version=len(self.versions),
        )


class Plane:
    """Everything there is. ``worker`` makes the service that a container talks to."""

    def __init__(self, token: tuple[str, str], worker: Callable[[Plane, Container], Service]) -> None:
        self.token = token
        self.directory = Path(tempfile.mkdtemp(prefix="modal-plane-"))
        self.directory.chmod(0o755)  # containers run programs as other users
        self.faults = Faults()
        self.logs = Logs()
        self.requests: collections.Counter[str] = collections.Counter()
        self.unimplemented: collections.Counter[str] = collections.Counter()
        self.environments: dict[str, str] = {DEFAULT_ENVIRONMENT: new_id("en")}
        self.apps: dict[str, App] = {}
        self.functions: dict[str, Function] = {}
        self.definitions: dict[str, Definition] = {}
        self.handles: dict[str, pb.FunctionHandleMetadata] = {}
        self.images: dict[str, pb.Image] = {}
        self.mounts: dict[str, list[pb.MountFile]] = {}
        self.files: dict[str, bytes] = {hashlib.sha256(b"").hexdigest(): b""}
        self.secrets: dict[str, dict[str, str]] = {}
        self.blobs: dict[str, bytes] = {}
        self.calls: dict[str, Call] = {}
        self.inputs: dict[str, Input] = {}
        self.errors: list[str] = []
        self.closing = False
        self.address = ""
        self.port: Port | None = None
        self._worker = worker
        self._tasks: set[asyncio.Task[None]] = set()

    def worker(self, container: Container) -> Service:
        """Return the service that one container talks to."""
        return self._worker(self, container)

    def deployed(self, environment: str, name: str) -> App | None:
        """Return the app that is deployed under a name."""
        for app in self.apps.values():
            if (app.environment, app.name) == (environment or DEFAULT_ENVIRONMENT, name) and not app.stopped_at:
                return app
        return None

    def layout(self, app: App) -> pb.AppLayout:
        """Return an app's functions and classes as the client and the containers read them."""
        objects = [
            pb.Object(object_id=function_id, function_handle_metadata=self.handles[function_id])
            for function_id in app.functions.values()
        ]
        objects += [
            pb.Object(object_id=class_id, class_handle_metadata=pb.ClassHandleMetadata())
            for class_id in app.classes.values()
        ]
        needed = {
            dependency.object_id
            for function_id in app.functions.values()
            for dependency in self.functions[function_id].definition.object_dependencies
        }
        objects += [pb.Object(object_id=object_id) for object_id in sorted(needed)]
        return pb.AppLayout(objects=objects, function_ids=app.functions, class_ids=app.classes)

    async def publish(self, app: App, version: Version) -> None:
        """Make a version of an app the one that runs."""
        for gone in set(app.functions.values()) - set(version.functions.values()):
            await self.functions[gone].stop()
        app.functions, app.classes = version.functions, version.classes
        app.versions.append(version)
        app.deployed_at = version.deployed_at
        for function_id, definition_id in version.definitions.items():
            definition = self.definitions[definition_id]
            self.handles[function_id] = definition.handle
            await self.functions[function_id].deploy(definition.function)

    async def stop(self, app: App) -> None:
        """Stop an app for good."""
        app.state, app.stopped_at = pb.APP_STATE_STOPPED, time.time()
        for function in list(self.functions.values()):
            if function.app_id == app.id:
                await function.stop()
        await self.logs.changes.tell()

    def running(self, app_id: str = "") -> list[Container]:
        """Return the containers that there are, of one app or of all."""
        return [
            container
            for function in self.functions.values()
            if app_id in {"", function.app_id}
            for container in function.containers.values()
        ]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside; what it raises is kept for the tests to see."""
        task = asyncio.get_running_loop().create_task(self._watched(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def later(self, seconds: float, work: Callable[..., Awaitable[None]], *arguments: object) -> asyncio.TimerHandle:
        """Do something after a while."""

        async def call() -> None:
            await work(*arguments)

        return asyncio.get_running_loop().call_later(seconds, lambda: self.spawn(call()))

    async def close(self) -> None:
        """End every container."""
        self.closing = True
        self.faults.clear()
        for container in self.running():
            container.kill()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - the tests show it
            self.errors.append(traceback.format_exc())
            print(self.errors[-1], file=sys.stderr, flush=True)
