"""The OpenAPI document: what every route takes and answers.

Bodies are read and checked by :mod:`manimcast.api.body` and :mod:`manimcast.api.requests`, whose messages are
plainer than a framework's, so they are described to the document here, with the shapes of :mod:`manimcast.api.schemas`.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from manimcast.api.batch_requests import BatchRequest
from manimcast.api.problems import MEDIA_TYPE
from manimcast.api.requests import RenderRequest, VideoRequest
from manimcast.api.schemas import (
    SCHEMAS,
    AssetPage,
    AssetRead,
    AttemptLine,
    BatchPage,
    Description,
    EndEvent,
    Health,
    LogEvent,
    ProblemDetails,
    ProgressEvent,
    ProgressLine,
    RenderEvent,
    RenderPage,
    RenderRead,
    SegmentEvent,
    StateEvent,
    VideoFailure,
    VideoRefusal,
    VideoResult,
    ref,
)
from manimcast.inspection import Inspection
from manimcast.renders import Batch, Render
from manimcast.webhooks import Webhook


def _json(description: str, *models: type[BaseModel]) -> Description:
    schema = ref(models[0]) if len(models) == 1 else {"anyOf": [ref(model) for model in models]}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problems(**statuses: str) -> dict[int | str, Description]:
    content = {MEDIA_TYPE: {"schema": ref(ProblemDetails)}}
    return {
        int(name.removeprefix("s")): {"description": description, "content": content}
        for name, description in statuses.items()
    }


def _body(model: type[BaseModel]) -> Description:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": ref(model)}}}}


def _route(responses: dict[int | str, Description], extra: Description | None = None) -> Description:
    # `response_model=None`: handlers return responses, not models to be converted.
    return {"response_model": None, "responses": responses, "openapi_extra": extra or {}}


_KEY = {"s401": "No API key, or an unknown one.", "s403": "From a web page, or to a name, that is not allowed."}
_FINISHED = _json("The video is there; or, with `stream`, progress lines as they happen.", VideoResult)
_FINISHED["content"]["application/x-ndjson"] = {"schema": {"anyOf": [ref(ProgressLine), ref(AttemptLine)]}}

VIDEO_RENDERING = _route(
    {
        200: _FINISHED,
        **{
            status: _json(text, VideoRefusal)
            for status, text in {
                400: "A field is wrong, or the body cannot be read.",
                401: _KEY["s401"],
                403: _KEY["s403"],
                408: "The body did not arrive in time.",
                413: "The body is too large.",
                415: "The body is not declared as JSON.",
                429: "The queue is full; `Retry-After` says when to try again.",
            }.items()
        },
        409: _json("The render was canceled by somebody else.", VideoFailure),
        422: _json("The scene is at fault.", VideoFailure),
        500: _json("The service is at fault.", VideoFailure, VideoRefusal),
        503: _json("Nothing can render at the moment, or nothing that tried could.", VideoRefusal, VideoFailure),
        504: _json("The render took longer than it may.", VideoFailure),
    },
    _body(VideoRequest),
)


def _refusals(*, wrong: str, full: str) -> dict[int | str, Description]:
    """Return why something is not queued; ``wrong`` and ``full`` say more of two of the reasons."""
    return _problems(
        s400="The body cannot be read.",
        s408="The body did not arrive in time.",
        s409="The `Idempotency-Key` was sent before with another body.",
        s413="The body is too large.",
        s415="The body is not declared as JSON.",
        s422=wrong,
        s429=full,
        s500="The service is at fault.",
        s503="Nothing can render at the moment.",
        **_KEY,
    )


CREATE_RENDER = _route(
    {
        200: _json("With `Prefer: wait`: the render has ended.", Render),
        202: _json("The render is queued; `Location` is where it can be read.", Render),
        **_refusals(wrong="A field is wrong.", full="The queue is full; `Retry-After` says when to try again."),
    },
    _body(RenderRequest)
    | {
        "parameters": [
            {
                "name": "Prefer",
                "in": "header",
                "required": False,
                "description": "`wait=N`: answer when the render ends, or after N seconds.",
                "schema": {"type": "string", "examples": ["wait=30"]},
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Your name for this request: sent again with the same body, it is the same render.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            },
        ]
    },
)
INSPECT = _route(
    {
        200: _json("What the scenes come to; also when one of them fails.", Inspection),
        **_problems(
            s400="The body cannot be read.",
            s408="The body did not arrive in time.",
            s413="The body is too large.",
            s415="The body is not declared as JSON.",
            s422="A field is wrong.",
            s429="Too many dry runs wait; `Retry-After` says when to try again.",
            s500="The service is at fault.",
            s503="No dry run is possible at the moment.",
            **_KEY,
        ),
    },
    _body(RenderRequest),
)
_NO_RENDER = _problems(
    s404="There is no such render.", s422="A parameter is wrong.", s500="The service is at fault.", **_KEY
)
LIST_RENDERS = _route(
    {
        200: _json("A page of renders.", RenderPage),
        **_problems(s422="A parameter is wrong.", s500="The service is at fault.", **_KEY),
    }
)
CREATE_BATCH = _route(
    {
        202: _json("All are queued; `Location` is where the batch can be read.", Batch),
        **_refusals(
            wrong="A field is wrong; `errors` says of which render, as `renders[3].quality`.",
            full="Not all of them may wait; `Retry-After` says when to try again. None is queued.",
        ),
    },
    _body(BatchRequest)
    | {
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key with the same body is the same batch.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        ]
    },
)
_NO_BATCH = _problems(
    s404="No batch of yours has this id.", s422="A parameter is wrong.", s500="The service is at fault.", **_KEY
)
LIST_BATCHES = _route(
    {
        200: _json("A page of batches.", BatchPage),
        **_problems(s422="A parameter is wrong.", s500="The service is at fault.", **_KEY),
    }
)
READ_BATCH = _route({200: _json("The batch.", Batch), **_NO_BATCH})
READ_BATCH_WEBHOOK = _route(
    {200: _json("What has become of it.", Webhook), **_NO_BATCH, **_problems(s404="No such batch, or no webhook.")}
)
BATCH_RENDERS = _route({200: _json("A page of its renders, in their order.", RenderPage), **_NO_BATCH})
CANCEL_BATCH = _route({200: _json("The batch; nothing of it runs any more.", Batch), **_NO_BATCH})
_STOPS = _problems(
    s503="The service stops while some of it still runs: it is canceled; delete it after the next start."
)
DELETE_BATCH = _route({204: {"description": "It is gone."}, **_NO_BATCH, **_STOPS})
DELETE_RENDER = _route({204: {"description": "It is gone."}, **_NO_RENDER, **_STOPS})
READ_RENDER = _route({200: _json("The render.", RenderRead), **_NO_RENDER})
_EVENT: Description = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$", "description": "To be sent as `Last-Event-ID`."},
        "event": {"enum": ["queued", "running", "progress", "segment", "log", "succeeded", "failed", "canceled"]},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {
                "anyOf": [ref(model) for model in (StateEvent, ProgressEvent, SegmentEvent, LogEvent, EndEvent)]
            },
        },
        "retry": {"description": "Milliseconds to wait before connecting again; it comes once, at the beginning."},
    },
}
EVENTS = _route(
    {
        200: {
            "description": "Events as they happen; the schema is that of one of them, whose `data` is JSON.",
            "content": {"text/event-stream": {"schema": _EVENT}},
        },
        204: {"description": "The render has ended, and all of its events were received."},
        **_NO_RENDER,
        **_problems(s400="`Last-Event-ID` is not the id of an event of this render."),
    }
)
CANCEL = _route({200: _json("The render; nothing of it runs any more.", Render), **_NO_RENDER})
READ_WEBHOOK = _route({200: _json("Where it is, and every attempt.", Webhook), **_NO_RENDER})
REPLAY_WEBHOOK = _route(
    {
        202: _json("It is going to be sent again.", Webhook),
        **_NO_RENDER,
        **_problems(s409="The render has not ended."),
    }
)
_FORM = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream", "description": "The file."},
        "name": {"type": "string", "description": "What it is called; by default as the form says."},
    },
}
CREATE_ASSET = _route(
    {
        200: _json("The same bytes were there; they are called this now.", AssetRead),
        201: _json("The asset; `Location` is where it can be read.", AssetRead),
        **_problems(
            s400="The body cannot be read.",
            s408="The body did not arrive in time.",
            s413="The file is too large.",
            s415="The body is no multipart form.",
            s422="The file is none that is taken, or is called wrong.",
            s500="The service is at fault.",
            s503="It cannot be stored at the moment.",
            s401=_KEY["s401"],
            s403=f"{_KEY['s403']} Or: there are as many assets as there may be.",
        ),
    },
    {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
_NO_ASSET = _problems(
    s404="There is no such asset.", s422="A parameter is wrong.", s500="The service is at fault.", **_KEY
)
LIST_ASSETS = _route(
    {
        200: _json("A page of assets.", AssetPage),
        **_problems(s422="A parameter is wrong.", s500="The service is at fault.", **_KEY),
    }
)
READ_ASSET = _route({200: _json("The asset.", AssetRead), **_NO_ASSET})
DELETE_ASSET = _route({204: {"description": "It is gone."}, **_NO_ASSET})
_BYTES: dict[int | str, Description] = {
    200: {"description": "The bytes.", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The range of bytes that was asked for."},
    307: {"description": "The file lies in a bucket; `Location` is a link to it."},
    416: {"description": "No such range."},
}
RESULT_FILE = _route(
    {
        **_BYTES,
        **_NO_RENDER,
        **_problems(
            s409="The render has not ended, or has no video.",
            s410="The video has expired.",
            s503="The bucket cannot be used, or the file is still on its way there (`Retry-After`).",
        ),
    }
)
BATCH_VIDEO = _route(
    {
        **_BYTES,
        **_NO_BATCH,
        **_problems(
            s409="The batch has not ended, or has no video.",
            s410="The video has expired.",
            s503="The bucket cannot be used, or the file is still on its way there (`Retry-After`).",
        ),
    }
)
SIGNED_FILE = _route(
    {
        **_BYTES,
        **_problems(
            s403="The link is not one that this service gave out.",
            s404="The file is gone.",
            s410="The link, or the video, has expired.",
            s422="A parameter is wrong.",
            s503="The bucket cannot be used, or the file is still on its way there (`Retry-After`).",
        ),
    }
)
HEALTH = _route({200: _json("It can render.", Health), 503: _json("It cannot render; the answer says why.", Health)})


def _header(name: str, description: str) -> Description:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": {"type": "string"}}


WEBHOOKS: Description = {
    "render.ended": {
        "post": {
            "operationId": "render_ended",
            "summary": "A render has ended",
            "description": "Posted to `webhook.url` of a render that has succeeded, failed or was canceled, until it "
            "is answered with a status from 200 to 299, or for about a day. Signed as Standard Webhooks are.",
            "parameters": [
                _header("webhook-id", "The same for every attempt: what came twice is known by it."),
                _header("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
                _header("webhook-signature", "`v1,` and a signature, for each secret in use, separated by spaces."),
            ],
            **_body(RenderEvent),
            "responses": {"2XX": {"description": "You have it."}, "410": {"description": "You want no more of it."}},
            "security": [],
        }
    }
}


def describe(app: FastAPI) -> None:
    """Make ``app`` serve a document with the shapes of this module in it."""

    def document() -> Description:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            schemas |= SCHEMAS
            schema["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            }
            schema["webhooks"] = WEBHOOKS
            schema["security"] = [{"bearer": []}, {"header": []}, {}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
