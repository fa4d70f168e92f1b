"""Calls about apps and environments: deploy, run, stop, list, roll back."""

from __future__ import annotations

import time

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from tests.modal_plane.ids import new_id
from tests.modal_plane.objects import Objects
from tests.modal_plane.plane import DEFAULT_ENVIRONMENT, App, Version
from tests.modal_plane.serving import unary

BRIEF = (pb.APP_STATE_EPHEMERAL, pb.APP_STATE_INITIALIZING)
"""States of an app that ends with the client that made it."""


class Apps(Objects):
    """Apps and the environments that they are in."""

    @unary
    async def EnvironmentCreate(self, request: pb.EnvironmentCreateRequest) -> None:  # noqa: N802
        if request.name in self.plane.environments:
            raise GRPCError(Status.ALREADY_EXISTS, f"Environment '{request.name}' already exists")
        self.plane.environments[request.name] = new_id("en")

    @unary
    async def EnvironmentDelete(self, request: pb.EnvironmentDeleteRequest) -> None:  # noqa: N802
        self.check_environment(request.name)
        for app in list(self.plane.apps.values()):
            if app.environment == request.name and not app.stopped_at:
                await self.plane.stop(app)
        del self.plane.environments[request.name]

    @unary
    async def EnvironmentList(self, request: object) -> pb.EnvironmentListResponse:  # noqa: N802
        items = [
            pb.EnvironmentListItem(name=name, environment_id=environment_id, default=name == DEFAULT_ENVIRONMENT)
            for name, environment_id in self.plane.environments.items()
        ]
        return pb.EnvironmentListResponse(items=items)

    @unary
    async def AppGetByDeploymentName(  # noqa: N802
        self, request: pb.AppGetByDeploymentNameRequest
    ) -> pb.AppGetByDeploymentNameResponse:
        self.check_environment(request.environment_name)
        where = request.environment_name or DEFAULT_ENVIRONMENT
        if app := self.plane.deployed(where, request.name):
            return pb.AppGetByDeploymentNameResponse(app_id=app.id, environment_name=where, lifecycle=app.lifecycle)
        for app in reversed(self.plane.apps.values()):
            if (app.environment, app.name) == (where, request.name):
                return pb.AppGetByDeploymentNameResponse(
                    previous_app_id=app.id, environment_name=where, lifecycle=app.lifecycle
                )
        return pb.AppGetByDeploymentNameResponse(environment_name=where)

    @unary
    async def AppCreate(self, request: pb.AppCreateRequest) -> pb.AppCreateResponse:  # noqa: N802
        self.check_environment(request.environment_name)
        environment = request.environment_name or DEFAULT_ENVIRONMENT
        app = App(new_id("ap"), request.description, environment, request.app_state)
        self.plane.apps[app.id] = app
        return pb.AppCreateResponse(app_id=app.id, app_page_url=self._page(app), app_logs_url=self._page(app))

    @unary
    async def AppGetLayout(self, request: pb.AppGetLayoutRequest) -> pb.AppGetLayoutResponse:  # noqa: N802
        return pb.AppGetLayoutResponse(app_layout=self.plane.layout(self.app(request.app_id)))

    @unary
    async def AppPublish(self, request: pb.AppPublishRequest) -> pb.AppPublishResponse:  # noqa: N802
        app = self.app(request.app_id)
        app.name = request.name or app.name
        app.state = request.app_state or app.state
        version = Version(
            len(app.versions) + 1,
            time.time(),
            dict(request.function_ids),
            dict(request.class_ids),
            dict(request.definition_ids),
            request,
        )
        await self.plane.publish(app, version)
        return pb.AppPublishResponse(url=self._page(app), deployed_at=version.deployed_at)

    @unary
    async def AppDeploymentHistory(  # noqa: N802
        self, request: pb.AppDeploymentHistoryRequest
    ) -> pb.AppDeploymentHistoryResponse:
        app = self.app(request.app_id)
        histories = [
            pb.AppDeploymentHistory(
                app_id=app.id,
                version=version.number,
                deployed_at=version.deployed_at,
                tag=version.request.deployment_tag,
                commit_info=version.request.commit_info,
                rollback_allowed=True,
            )
            for version in reversed(app.versions)
        ]
        return pb.AppDeploymentHistoryResponse(app_deployment_histories=histories)

    @unary
    async def AppRollback(self, request: pb.AppRollbackRequest) -> pb.AppRollbackResponse:  # noqa: N802
        app = self.app(request.app_id)
        number = request.version if request.version > 0 else len(app.versions) - 1
        if not 1 <= number <= len(app.versions):
            raise GRPCError(Status.NOT_FOUND, f"The app has no version {number}")
        old = app.versions[number - 1]
        version = Version(len(app.versions) + 1, time.time(), old.functions, old.classes, old.definitions, old.request)
        await self.plane.publish(app, version)
        return pb.AppRollbackResponse(url=self._page(app), deployed_at=version.deployed_at)

    @unary
    async def AppList(self, request: pb.AppListRequest) -> pb.AppListResponse:  # noqa: N802
        self.check_environment(request.environment_name)
        environment = request.environment_name or DEFAULT_ENVIRONMENT
        items = [
            pb.AppListResponse.AppListItem(
                app_id=app.id,
                name=app.name,
                description=app.name or app.description,
                state=app.state,
                created_at=app.created_at,
                stopped_at=app.stopped_at,
                n_running_tasks=len(self.plane.running(app.id)),
            )
            for app in self.plane.apps.values()
            if app.environment == environment
        ]
        return pb.AppListResponse(apps=items)

    @unary
    async def AppGetLifecycle(self, request: pb.AppGetLifecycleRequest) -> pb.AppGetLifecycleResponse:  # noqa: N802
        return pb.AppGetLifecycleResponse(lifecycle=self.app(request.app_id).lifecycle)

    @unary
    async def AppGetInfo(self, request: pb.AppGetInfoRequest) -> pb.AppGetInfoResponse:  # noqa: N802
        app = self.app(request.app_id)
        info = pb.AppHandleMetadata(
            app_id=app.id,
            description=app.name or app.description,
            environment_name=app.environment,
            lifecycle=app.lifecycle,
            functions=app.functions,
        )
        return pb.AppGetInfoResponse(info=info)

    @unary
    async def AppStop(self, request: pb.AppStopRequest) -> None:  # noqa: N802
        await self.plane.stop(self.app(request.app_id))

    @unary
    async def AppHeartbeat(self, request: pb.AppHeartbeatRequest) -> None:  # noqa: N802
        self.app(request.app_id)

    @unary
    async def AppClientDisconnect(self, request: pb.AppClientDisconnectRequest) -> None:  # noqa: N802
        app = self.app(request.app_id)
        if app.state in BRIEF:
            await self.plane.stop(app)

    @unary
    async def TaskList(self, request: pb.TaskListRequest) -> pb.TaskListResponse:  # noqa: N802
        tasks = [
            pb.TaskStats(
                task_id=container.id,
                app_id=container.function.app_id,
                app_description=self.plane.apps[container.function.app_id].description,
                started_at=container.began,
                enqueued_at=container.began,
            )
            for container in self.plane.running(request.app_id)
        ]
        return pb.TaskListResponse(tasks=tasks)

    @unary
    async def ContainerStop(self, request: pb.ContainerStopRequest) -> None:  # noqa: N802
        for container in self.plane.running():
            if container.id == request.task_id:
                container.kill("restart")

    def app(self, app_id: str) -> App:
        """Return an app, or raise NOT_FOUND."""
        if (app := self.plane.apps.get(app_id)) is None:
            raise GRPCError(Status.NOT_FOUND, f"There is no app {app_id}")
        return app

    def _page(self, app: App) -> str:
        return f"{self.plane.address}/apps/{app.id}"
