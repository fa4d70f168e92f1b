"""What the service answers when it does not do as it was told.

Everywhere an RFC 9457 problem (``application/problem+json``); on the original endpoint, whose clients know
``{"error": ...}``, that shape. Each kind of problem is one member of :class:`Problem`, with its status, and one
line of docs/reference/errors.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from starlette.responses import JSONResponse

ORIGINAL_ENDPOINT = "/v1/video/rendering"
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:manimcast:problem:"


class Problem(Enum):
    """Kinds of problems: the HTTP status and the title that goes with it."""

    invalid_body = 400, "The body cannot be read"
    invalid_header = 400, "A header is not valid"
    unauthorized = 401, "An API key is needed"
    wrong_host = 403, "The request is addressed to another host"
    wrong_origin = 403, "The request comes from a page of another origin"
    link_invalid = 403, "The link is not valid"
    not_found = 404, "There is nothing here"
    render_not_found = 404, "There is no such render"
    batch_not_found = 404, "There is no such batch"
    no_webhook = 404, "The render has no webhook"
    asset_not_found = 404, "There is no such asset"
    method_not_allowed = 405, "The method is not allowed here"
    body_timeout = 408, "The body did not arrive in time"
    not_finished = 409, "The render has not ended"
    no_video = 409, "The render has no video"
    key_conflict = 409, "The idempotency key belongs to another request"
    canceled = 409, "The render was canceled"
    link_expired = 410, "The link has expired"
    video_expired = 410, "The video has expired"
    quota_exceeded = 403, "You have as much as you may have"
    body_too_large = 413, "The body is too large"
    unsupported_media_type = 415, "The body is of the wrong type"
    invalid_request = 422, "The request is not valid"
    queue_full = 429, "The queue is full"
    internal = 500, "Something went wrong in the service"
    no_executor = 503, "Nothing can render at the moment"
    stopping = 503, "The service is stopping"
    video_pending = 503, "The video is still on its way"
    storage_unavailable = 503, "The service cannot write its data"

    def __init__(self, status: int, title: str) -> None:
        self.status = status
        self.title = title

    # Members are told apart by name: two kinds may share a status.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def type(self) -> str:
        """The URI that names this kind."""
        return TYPE_PREFIX + self.name.replace("_", "-")


class ProblemError(Exception):
    """A request cannot be answered as asked.

    Parameters
    ----------
    problem
        Its kind.
    detail
        What is wrong and what would help, in a sentence for people.
    errors
        For invalid requests, one ``{"field", "message"}`` for each wrong field.
    """

    def __init__(
        self,
        problem: Problem,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def missing(problem: Problem, what: str, its_id: str, helps: str = "") -> ProblemError:
    """Return what is answered when there is no ``what``, such as a render, with this id."""
    return ProblemError(problem, f"there is no {what} {its_id[:100]!r}{helps}")


def respond(path: str, error: ProblemError) -> JSONResponse:
    """Return ``error`` in the shape that clients of ``path`` know."""
    headers = {"cache-control": "no-store", **error.headers}
    if path == ORIGINAL_ENDPOINT:
        # There, 422 has always meant that the scene failed.
        status = 400 if error.problem is Problem.invalid_request else error.problem.status
        body: dict[str, Any] = {"error": error.detail, **error.extra}
        if error.errors:
            body["errors"] = list(error.errors)
        return JSONResponse(body, status, headers)
    body = {
        "type": error.problem.type,
        "title": error.problem.title,
        "status": error.problem.status,
        "detail": error.detail,
        "instance": path,
        **error.extra,
    }
    if error.errors:
        body["errors"] = list(error.errors)
    return JSONResponse(body, error.problem.status, headers, media_type=MEDIA_TYPE)
