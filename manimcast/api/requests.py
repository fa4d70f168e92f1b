"""What clients post, and the spec that it stands for.

Two shapes of the same request: the original endpoint's, whose fields have the names that old clients send and
which ignores what it does not know, and that of ``/v1/renders``, which refuses it. ``null`` means default in
both. The operator's limits are checked here, before anything is queued.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import to_json

from manimcast.api.validation import FieldError, explain, refuse
from manimcast.attached import MAX_ASSETS, AssetRef, Reference
from manimcast.renders import CacheMode
from manimcast.renders.order import HIGHEST, LOWEST
from manimcast.settings import Settings
from manimcast.spec import AspectRatio, Code, Engine, JsonObject, Quality, RenderSpec, SceneName
from manimcast.webhooks import AddressRules, Target, TargetError

MAX_METADATA = 1024
"""Bytes of a render's metadata, written as JSON."""

_EXAMPLE = "class Hello(Scene):\n    def construct(self):\n        self.play(Create(Circle()))\n"


def _is_small(metadata: dict[str, Any] | None) -> dict[str, Any] | None:
    if metadata is not None and len(to_json(metadata)) > MAX_METADATA:
        raise ValueError(f"metadata must not be longer than {MAX_METADATA} bytes as JSON")
    return metadata


Metadata = Annotated[dict[str, Any] | None, AfterValidator(_is_small)]
"""What clients have echoed."""


class VideoRequest(BaseModel):
    """A scene to render, in the original endpoint's words. Unknown fields are ignored."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        json_schema_extra={"examples": [{"code": _EXAMPLE, "file_class": "Hello", "quality": "low_quality"}]},
    )

    code: Code = Field(description="Manim scene code.")
    file_class: SceneName | None = Field(None, description="Scene class; needed when the code defines several.")
    rendering_engine: Engine = Field(Engine.cairo, description="Manim's renderer.")
    quality: Quality = Field(Quality.medium_quality, description="Size and frame rate; short forms work: `low`.")
    aspect_ratio: AspectRatio = Field(AspectRatio.wide, description="Width to height.")
    stream: bool = Field(False, strict=True, description="Answer with progress lines while it renders.")


class WebhookRequest(BaseModel):
    """Where to tell of the end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        description="Where to post it: `https://` or `http://`, in the internet.",
        json_schema_extra={"format": "uri", "examples": ["https://example.org/hooks"]},
    )

    @field_validator("url")
    @classmethod
    def _is_a_target(cls, url: str) -> str:
        try:
            Target.parse(url)
        except TargetError as error:
            raise ValueError(f"webhook.url {error}") from None
        return url


class RenderRequest(RenderSpec):
    """A scene to render. Unknown fields are refused."""

    model_config = ConfigDict(
        title="RenderRequest", json_schema_extra={"examples": [{"code": _EXAMPLE, "quality": "low_quality"}]}
    )

    assets: Annotated[tuple[Reference, ...], Field(max_length=MAX_ASSETS)] = Field(  # type: ignore[assignment]
        (),
        description="Uploaded files that the scene has: ids, or `{id, name}` to choose what a file is called.",
        examples=[[{"id": f"ast_{'0' * 64}", "name": "logo.png"}]],
    )
    executor: Literal["auto", "local", "modal"] = Field(
        "auto", description="Where to render; what is named here is the only place, `auto` falls back."
    )
    cache: CacheMode = Field(
        CacheMode.use, description="`use` what is kept; `refresh`: render anew and keep that; `off`: neither."
    )
    priority: int = Field(
        0,
        ge=LOWEST,
        le=HIGHEST,
        strict=True,
        description="Before your other renders (above 0) or after them; one step is a minute.",
    )
    webhook: WebhookRequest | None = Field(
        None,
        description="Tell of the end of the render by a signed webhook.",
        examples=[{"url": "https://example.org/hooks"}],
    )
    metadata: Metadata = Field(None, description="Echoed with the render; at most 1 KiB as JSON.")


_ORIGINAL_NAMES = {"scene": "file_class", "engine": "rendering_engine"}


@dataclass(frozen=True)
class Order:
    """What a client of ``/v1/renders`` asks for."""

    spec: RenderSpec
    assets: tuple[AssetRef, ...]
    executor: str
    cache: CacheMode
    priority: int
    metadata: JsonObject | None
    webhook: str | None


def parse_original(body: JsonObject, settings: Settings) -> tuple[RenderSpec, bool]:
    """Return the spec of a request to the original endpoint, and whether it asks for progress lines.

    Raises :class:`~manimcast.api.problems.ProblemError` naming each wrong field.
    """
    try:
        request = VideoRequest.model_validate(_without_nulls(body))
        spec = RenderSpec(
            code=request.code,
            scene=request.file_class,
            engine=request.rendering_engine,
            quality=request.quality,
            aspect_ratio=request.aspect_ratio,
        )
    except ValidationError as error:
        raise refuse(explain(error, VideoRequest, names=_ORIGINAL_NAMES)) from None
    _check_limits(spec, settings)
    return spec, request.stream


def parse_render(body: JsonObject, settings: Settings) -> Order:
    """Return what a request to ``/v1/renders`` asks for.

    Raises :class:`~manimcast.api.problems.ProblemError` naming each wrong field.
    """
    try:
        request = RenderRequest.model_validate(_without_nulls(body))
    except ValidationError as error:
        raise refuse(explain(error, RenderRequest)) from None
    spec = RenderSpec.model_construct(
        _fields_set=request.model_fields_set & RenderSpec.model_fields.keys(),
        **{name: getattr(request, name) for name in RenderSpec.model_fields if name != "assets"},
    )
    webhook = None if request.webhook is None else request.webhook.url
    _check_limits(spec, settings, webhook)
    return Order(spec, request.assets, request.executor, request.cache, request.priority, request.metadata, webhook)


def _without_nulls(body: JsonObject) -> JsonObject:
    return {name: value for name, value in body.items() if value is not None}


def _check_limits(spec: RenderSpec, settings: Settings, webhook: str | None = None) -> None:
    errors: list[FieldError] = []

    def refuse_field(field: str, message: str) -> None:
        errors.append({"field": field, "message": f"{field} {message}"})

    if spec.code.lstrip().startswith("```"):  # what language models answer with
        refuse_field("code", "must be Python; it begins with Markdown's ```: send what is between the fences")
    if (position := spec.code.find("\0")) >= 0:  # which Python refuses, and PostgreSQL does not even keep
        line = spec.code.count("\n", 0, position) + 1
        refuse_field("code", f"must not have a NUL character (\\u0000); line {line} has one")
    length = spec.source_bytes
    if length > settings.max_code_bytes:
        whole = "it has" if not spec.files else "with files it has"
        refuse_field("code", f"must not be longer than {settings.max_code_bytes} bytes; {whole} {length}")
    width, height = spec.pixel_size
    if width * height > settings.max_pixels:
        field = "resolution" if spec.resolution else "quality"
        refuse_field(field, f"must not ask for more than {settings.max_pixels} pixels; {width}x{height} does")
    if spec.frames_per_second > settings.max_frame_rate:
        field = "frame_rate" if spec.frame_rate is not None else "quality"
        refuse_field(field, f"must not ask for more than {settings.max_frame_rate:g} frames per second")
    if spec.timeout is not None and spec.timeout > settings.render_timeout:
        refuse_field("timeout", f"must be at most {settings.render_timeout:g} seconds")
    if webhook is not None:
        errors += wrong_webhook(webhook, settings)
    if errors:
        raise refuse(errors)


def wrong_webhook(url: str, settings: Settings) -> list[FieldError]:
    """Return why nobody can be told at ``url``, if that is so."""
    errors = []
    try:
        Target.parse(url).check(AddressRules(settings.webhook_allowed_networks))
    except TargetError as error:
        errors.append({"field": "webhook.url", "message": f"webhook.url {error}"})
    if not settings.signs_webhooks:
        message = "webhook is not possible here: WEBHOOK_SECRET has to be set, the same for all services"
        errors.append({"field": "webhook", "message": message})
    return errors
