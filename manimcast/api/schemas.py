"""The shapes of requests and answers in the OpenAPI document, as JSON Schema: of answers that no other module has a
model for, the models too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from manimcast.api.batch_requests import BatchRequest
from manimcast.api.requests import RenderRequest, VideoRequest
from manimcast.attached import AssetKind
from manimcast.inspection import Inspection
from manimcast.renders import Batch, Render, RenderCache, RenderCost, RenderProgress
from manimcast.spec import DrawingWork, SceneError
from manimcast.webhooks import Webhook

Description = dict[str, Any]


class FieldProblem(BaseModel):
    """One wrong field of a request."""

    field: str
    message: str


class ProblemDetails(BaseModel):
    """An RFC 9457 problem."""

    type: str = Field(examples=["urn:manimcast:problem:invalid-request"])
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] | None = None


class VideoRefusal(BaseModel):
    """Why a request was refused before anything ran."""

    error: str = Field(examples=["No code provided"])
    errors: list[FieldProblem] | None = None


class VideoResult(BaseModel):
    """A finished video. ``processingTime`` is in seconds."""

    message: Literal["Video generation completed"]
    video_url: str
    processingTime: float  # noqa: N815 - the wire's name
    render_id: str
    executor: str
    cost: RenderCost | None
    cache: RenderCache


class VideoFailure(BaseModel):
    """A render that has no video."""

    message: Literal["Video generation failed"]
    error: str
    details: list[str]
    scene_error: SceneError
    processingTime: float  # noqa: N815 - the wire's name
    render_id: str
    executor: str | None


class ProgressLine(BaseModel):
    """One line while a play renders; each play goes from 0 to 100."""

    animationIndex: int  # noqa: N815 - the wire's name
    percentage: int = Field(ge=0, le=100)


class AttemptLine(BaseModel):
    """One line before progress starts again, when an attempt was lost; ``attempt`` is 2 for the second."""

    executor: str
    attempt: int = Field(ge=2)


class RenderRead(Render):
    """A render; ``work`` is there when it was asked for."""

    work: DrawingWork | None = None


class RenderEvent(BaseModel):
    """What a webhook posts: the render as it is read, and when it ended that way."""

    type: Literal["render.succeeded", "render.failed", "render.canceled"]
    timestamp: datetime
    data: Render


class UploadHealth(BaseModel):
    """What is on its way to the bucket, or still to be removed from it, and why, if something is wrong."""

    pending: int
    error: str | None


class Health(BaseModel):
    """What the service can do right now."""

    role: Literal["all", "api", "worker"]
    status: Literal["healthy", "degraded", "unhealthy"]
    modal_enabled: bool
    modal_available: bool | Literal["N/A"]
    modal_tokens: str
    modal_health: dict[str, Any] | str
    storage: Literal["local", "s3", "gcs", "azure"]
    uploads: UploadHealth
    sandbox: dict[str, Any]
    versions: dict[str, str | None]
    queue: dict[str, int | None]
    executors: dict[str, dict[str, Any]]
    warnings: list[str]


class StateEvent(BaseModel):
    """``queued`` or ``running``: the render has entered this state. With ``running``, the executor is named."""

    attempt: int
    time: datetime
    executor: str | None = None


class ProgressEvent(RenderProgress):
    """``progress``: how far the attempt is; a few a second at most."""

    attempt: int
    time: datetime


class SegmentEvent(BaseModel):
    """``segment``: a play or a wait is drawn. ``duration`` is that of its frames in the video, in seconds."""

    attempt: int
    time: datetime
    animation_index: int
    kind: str
    frames: int
    duration: float


class LogEvent(BaseModel):
    """``log``: a line that the engine has to say."""

    attempt: int
    time: datetime
    level: Literal["debug", "info", "warning", "error"]
    text: str


class EndEvent(BaseModel):
    """``succeeded``, ``failed`` or ``canceled``: the render has ended, and is this now."""

    attempt: int
    time: datetime
    render: Render


class AssetRead(BaseModel):
    """An uploaded file. ``id`` is ``ast_`` and the SHA-256 of its bytes; renders name it by that."""

    id: str
    name: str
    kind: AssetKind
    media_type: str
    bytes: int
    sha256: str
    created_at: datetime


class AssetPage(BaseModel):
    """Assets, the newest first. ``next_cursor`` is null on the last page."""

    assets: list[AssetRead]
    next_cursor: str | None


class RenderPage(BaseModel):
    """Renders, the newest first. ``next_cursor`` is null on the last page."""

    renders: list[Render]
    next_cursor: str | None


class BatchPage(BaseModel):
    """Batches, the newest first. ``next_cursor`` is null on the last page."""

    batches: list[Batch]
    next_cursor: str | None


_MODELS: list[tuple[type[BaseModel], JsonSchemaMode]] = [
    (VideoRequest, "validation"),
    (RenderRequest, "validation"),
    (ProgressLine, "validation"),
    (AttemptLine, "validation"),
    (VideoResult, "serialization"),
    (VideoRefusal, "serialization"),
    (VideoFailure, "serialization"),
    (ProblemDetails, "serialization"),
    (Health, "serialization"),
    (Render, "serialization"),
    (RenderRead, "serialization"),
    (RenderPage, "serialization"),
    (BatchRequest, "validation"),
    (Batch, "serialization"),
    (BatchPage, "serialization"),
    (StateEvent, "serialization"),
    (ProgressEvent, "serialization"),
    (SegmentEvent, "serialization"),
    (LogEvent, "serialization"),
    (EndEvent, "serialization"),
    (Webhook, "serialization"),
    (RenderEvent, "serialization"),
    (AssetRead, "serialization"),
    (AssetPage, "serialization"),
    (Inspection, "serialization"),
]
_refs, _schema = models_json_schema(_MODELS, ref_template="#/components/schemas/{model}")
SCHEMAS: Description = _schema["$defs"]
"""All of them, by name."""
_ABOUT = {"title", "description", "default", "examples"}
"""What is said of a field and not of its values."""


def _take_null(model: type[BaseModel]) -> None:
    """Describe that ``null`` means the default, in every field of ``model`` that has one."""
    schema = SCHEMAS[ref(model)["$ref"].rpartition("/")[2]]
    for name in schema["properties"].keys() - set(schema["required"]):
        field = schema["properties"][name]
        values = field.get("anyOf") or [{key: value for key, value in field.items() if key not in _ABOUT}]
        about = {key: value for key, value in field.items() if key in _ABOUT}
        null = {"type": "null"}
        schema["properties"][name] = about | {"anyOf": [*values, *([] if null in values else [null])]}


def ref(model: type[BaseModel]) -> Description:
    """Return what stands for ``model`` in the document."""
    found: Description = next(schema for (listed, _), schema in _refs.items() if listed is model)
    return found


for _request in (VideoRequest, RenderRequest):
    _take_null(_request)
