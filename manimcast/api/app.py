"""The ASGI application: routes, errors, and the service that starts and stops with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from manimcast import __version__
from manimcast.access import BrowserGuard
from manimcast.api.context import Context
from manimcast.api.guard import Guard
from manimcast.api.openapi import describe
from manimcast.api.outages import outage
from manimcast.api.problems import Problem, ProblemError, respond
from manimcast.api.routes import assets, batches, events, files, health, renders, scenes, video, webhook
from manimcast.api.validation import explain_parameters, refuse
from manimcast.database import DatabaseError
from manimcast.executors.base import Executor
from manimcast.executors.configured import from_settings
from manimcast.renders import BatchNotFound, StoppingError
from manimcast.settings import Settings

DESCRIPTION = "Turns Manim scenes into videos on demand."
HEALTH = (health.router,)
EVERYTHING = (
    *(video.router, renders.router, events.router, webhook.router, batches.router),
    *(assets.router, scenes.router, files.router),
    *HEALTH,
)


def create_app(
    settings: Settings, executors: Sequence[Executor] | None = None, *, routes: Sequence[APIRouter] = EVERYTHING
) -> FastAPI:
    """Return the application. The service behind it starts with the application's lifespan.

    ``executors`` are where renders run, the preferred one first; by default those that the settings
    ask for. ``routes`` are what it answers to.
    """
    context = Context.of(settings, from_settings(settings) if executors is None else executors)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await context.start()
        try:
            yield
        finally:
            await context.stop()

    # No pages at /docs: they would load scripts from a foreign host. The document itself is at /openapi.json.
    app = FastAPI(
        title="manimcast",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.context = context
    for router in routes:
        app.include_router(router)
    _answer_errors(app, [*app.routes, *(route for router in routes for route in router.routes)])
    # The last one added is the outermost.
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "HEAD", "POST", "DELETE"],
            allow_headers=[
                *("Authorization", "X-API-Key", "Content-Type"),
                *("Prefer", "Idempotency-Key", "Range", "Last-Event-ID"),
            ],
            expose_headers=["Location", "Retry-After", "Preference-Applied", "Content-Range", "Accept-Ranges"],
        )
    access = context.access
    app.add_middleware(Guard, browser_guard=BrowserGuard(settings, anonymous_allowed=access.anonymous_allowed))
    describe(app)
    return app


def _answer_errors(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Give every refusal the shape that the clients of its path know; ``routes`` are all that there are."""

    @app.exception_handler(ProblemError)
    async def _problem(request: Request, error: ProblemError) -> Response:
        return respond(request.url.path, error)

    @app.exception_handler(RequestValidationError)
    async def _parameters(request: Request, error: RequestValidationError) -> Response:
        return respond(request.url.path, refuse(explain_parameters(error.errors())))

    @app.exception_handler(BatchNotFound)
    async def _batch(request: Request, error: BatchNotFound) -> Response:
        return respond(request.url.path, ProblemError(Problem.batch_not_found, str(error)))

    @app.exception_handler(StoppingError)
    async def _stopping(request: Request, error: StoppingError) -> Response:
        refusal = ProblemError(Problem.stopping, str(error), headers={"retry-after": "5"})
        return respond(request.url.path, refusal)

    @app.exception_handler(DatabaseError)
    async def _store(request: Request, error: DatabaseError) -> Response:
        return respond(request.url.path, outage(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        path = request.url.path
        if error.status_code == 405:
            allowed = ", ".join(sorted(_methods(request, routes)))
            detail = f"{request.method} is not allowed on {path[:200]}; {allowed} is"
            refusal = ProblemError(Problem.method_not_allowed, detail, headers={"allow": allowed})
        else:
            refusal = ProblemError(Problem.not_found, f"there is nothing at {path[:200]}; /openapi.json lists what is")
        return respond(path, refusal)


def _methods(request: Request, routes: Sequence[BaseRoute]) -> set[str]:
    """Return the methods that are allowed where ``request`` went: of all routes there, not of the first one only."""
    there = (one for one in routes if isinstance(one, Route) and one.matches(request.scope)[0] is not Match.NONE)
    return {method for route in there for method in route.methods or ()}
