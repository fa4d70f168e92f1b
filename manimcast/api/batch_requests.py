"""What clients post to ``/v1/batches``: a list of renders, or one render with a list of params.

Every render is checked as if it had been posted by itself; what is wrong is named by where it stands, as
``renders[3].quality``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError, model_validator

from manimcast.api.problems import ProblemError
from manimcast.api.requests import Metadata, RenderRequest, WebhookRequest, parse_render, wrong_webhook
from manimcast.api.validation import FieldError, explain, kind_of, refuse
from manimcast.attached import AssetRef
from manimcast.renders import Draft, JoinWish, WebhookWish
from manimcast.settings import Settings
from manimcast.spec import Format, JsonObject

MOST_ERRORS = 100
"""Wrong fields that one answer names."""

EXPANSION = 8
"""Limits' worth of bytes of code that all renders may have: with ``params`` it is posted once, and kept for each."""

_CODE = "class Hello(Scene):\n    def construct(self):\n        self.play(Write(Text(PARAMS['name'])))\n"

JOINABLE = (Format.mp4, Format.mov, Format.webm)
"""Formats whose videos can be joined to one."""


class JoinRequest(BaseModel):
    """One video of all renders; whether there is one when some have failed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on_failure: Literal["fail", "skip"] = Field(
        "fail", description="`fail`: there is no such video when a render has failed; `skip`: it is left out."
    )


def _as_request(join: Any) -> Any:
    """Return what a client means by ``true`` and ``false``, in the words of an object."""
    match join:
        case bool() | None:
            return {} if join else None
        case dict():
            return join
        case _:
            raise ValueError(f'join must be true, false or {{"on_failure": "skip"}}; it is {kind_of(join)}')


Joining = Annotated[
    JoinRequest | None,
    BeforeValidator(_as_request, json_schema_input_type=StrictBool | JoinRequest | None),
    Field(description="Make one video of all renders, in order, each a chapter. They have to be of one format."),
]


class BatchRequest(BaseModel):
    """Many renders: either ``renders``, or ``render`` with ``params``. Unknown fields are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"render": {"code": _CODE}, "params": [{"name": "Ada"}, {"name": "Emmy"}]}]},
    )

    renders: list[RenderRequest] | None = Field(None, min_length=1, description="What to render, each by itself.")
    render: RenderRequest | None = Field(None, description="What to render with each of `params`.")
    params: list[dict[str, Any]] | None = Field(
        None, min_length=1, description="One render for each: `PARAMS` in its scene, over the `params` of `render`."
    )
    join: Joining = None
    webhook: WebhookRequest | None = Field(
        None, description="Tell by one signed webhook when all have ended; those of renders are their own."
    )
    metadata: Metadata = Field(None, description="Echoed with the batch; at most 1 KiB as JSON.")


class _Envelope(BaseModel):
    """A batch whose renders are not looked at yet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renders: list[dict[str, Any]] | None = Field(None, min_length=1, examples=[[{"code": "class A(Scene): ..."}]])
    render: dict[str, Any] | None = Field(None, examples=[{"code": "class A(Scene): ..."}])
    params: list[dict[str, Any]] | None = Field(None, min_length=1, examples=[[{"name": "Ada"}]])
    join: Joining = None
    webhook: WebhookRequest | None = Field(None, examples=[{"url": "https://example.org/hooks"}])
    metadata: Metadata = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> _Envelope:
        if (self.renders is None) == (self.render is None and self.params is None):
            raise ValueError("renders or render must be there, and not both: a list of renders, or one with params")
        if self.renders is None and self.render is None:
            raise ValueError("render is required with params")
        if self.renders is None and self.params is None:
            raise ValueError("params is required with render: one object for each video")
        return self


@dataclass(frozen=True)
class BatchOrder:
    """What a client of ``/v1/batches`` asks for: renders, and for each the assets that it names and where it does."""

    drafts: list[Draft]
    assets: list[tuple[str, tuple[AssetRef, ...]]]
    webhook: WebhookWish | None
    metadata: JsonObject | None
    join: JoinWish | None


def parse_batch(body: JsonObject, settings: Settings, *, base: str) -> BatchOrder:
    """Return what a request to ``/v1/batches`` asks for; ``base`` is the service's address, for links in webhooks.

    Raises :class:`~manimcast.api.problems.ProblemError` naming each wrong field, up to :data:`MOST_ERRORS`.
    """
    try:
        envelope = _Envelope.model_validate({name: value for name, value in body.items() if value is not None})
    except ValidationError as error:
        raise refuse(map(_of_a_render, explain(error, _Envelope))) from None
    listed = envelope.renders if envelope.renders is not None else envelope.params
    assert listed is not None  # noqa: S101 - the envelope says so
    name = "renders" if envelope.renders is not None else "params"
    if len(listed) > settings.batch_size:
        message = f"{name} must not have more than {settings.batch_size} entries; it has {len(listed)}"
        raise refuse([{"field": name, "message": message}])
    if envelope.webhook is not None and (wrong := wrong_webhook(envelope.webhook.url, settings)):
        raise refuse(wrong)
    if envelope.render is not None:
        common = _Reader(settings, base)
        common.read(envelope.render, "render")
        if common.errors:  # else each of them would say the same
            raise refuse(common.errors)
    reader = _Reader(settings, base)
    for where, item in _items(envelope):
        reader.read(item, where)
        if len(reader.errors) >= MOST_ERRORS:
            break
    if reader.errors:
        raise refuse(reader.errors[:MOST_ERRORS])
    if sum(draft.spec.source_bytes for draft in reader.drafts) > EXPANSION * settings.max_batch_bytes:
        most = f"must not have more than {EXPANSION * settings.max_batch_bytes} bytes of code in all"
        raise refuse([{"field": name, "message": f"{name} {most}, counted once for each render"}])
    webhook = WebhookWish(envelope.webhook.url, base) if envelope.webhook is not None else None
    join = None
    if envelope.join is not None:
        if wrong := list(itertools.islice(_unlike(envelope, reader.drafts), MOST_ERRORS)):
            raise refuse(wrong)
        join = JoinWish(skips=envelope.join.on_failure == "skip")
    return BatchOrder(reader.drafts, reader.assets, webhook, envelope.metadata, join)


def _of_a_render(error: FieldError) -> FieldError:
    """Return ``error``, or where the field belongs that it is about: one of a render may not stand beside it."""
    field = error["field"]
    if field in _Envelope.model_fields or field not in RenderRequest.model_fields:
        return error
    where = "put it into render, beside params, or into each of renders"
    return {"field": field, "message": f"{field} is a field of a render, not of the batch; {where}"}


def _unlike(envelope: _Envelope, drafts: list[Draft]) -> Iterator[FieldError]:
    """Yield what keeps renders from being joined to one video without being encoded again."""
    first = drafts[0].spec
    if first.format not in JOINABLE:
        field = "renders[0].format" if envelope.renders is not None else "render.format"
        yield {"field": field, "message": f"{field} must be mp4, mov or webm with join; it is {first.format}"}
        return
    for index, draft in enumerate(drafts):
        spec = draft.spec
        size = "quality" if spec.resolution is None else "resolution"
        rate = "quality" if spec.frame_rate is None else "frame_rate"
        for field, its, wanted in (
            ("format", spec.format, first.format),
            (size, spec.pixel_size, first.pixel_size),
            (rate, spec.frames_per_second, first.frames_per_second),
            ("transparent", spec.transparent, first.transparent),
            ("encoder_preset", spec.encoder_preset, first.encoder_preset),
        ):
            if its != wanted:  # in a batch with params, all are alike
                place = f"renders[{index}].{field}"
                same = f"must give {_said(wanted)} with join, as renders[0]; it gives {_said(its)}"
                yield {"field": place, "message": f"{place} {same}"}
                break


def _said(value: object) -> str:
    match value:
        case (width, height):
            return f"{width}x{height}"
        case float():
            return f"{value:g} frames a second"
        case None:
            return "none"
        case _:
            return str(value).lower()


def _items(envelope: _Envelope) -> Iterator[tuple[str, JsonObject]]:
    """Yield each render as it could have been posted by itself, with where it stands."""
    if envelope.renders is not None:
        for index, item in enumerate(envelope.renders):
            yield f"renders[{index}]", item
    elif envelope.render is not None:
        common = envelope.render.get("params") or {}
        for index, params in enumerate(envelope.params or ()):
            yield f"params[{index}]", {**envelope.render, "params": {**common, **params}}


class _Reader:
    """Reads renders one by one, and gathers what they ask for and what is wrong with them."""

    def __init__(self, settings: Settings, base: str) -> None:
        self._settings = settings
        self._base = base
        self.drafts: list[Draft] = []
        self.assets: list[tuple[str, tuple[AssetRef, ...]]] = []
        self.errors: list[FieldError] = []

    def read(self, item: JsonObject, where: str) -> None:
        """Read the render that stands at ``where``."""
        try:
            order = parse_render(item, self._settings)
        except ProblemError as problem:
            self.errors += moved(problem.errors, where)
            return
        webhook = WebhookWish(order.webhook, self._base) if order.webhook is not None else None
        self.drafts.append(Draft(order.spec, order.executor, order.cache, order.priority, order.metadata, webhook))
        # An entry of params brings none of its own.
        self.assets.append(("render" if where.startswith("params") else where, order.assets))


def moved(errors: Iterable[Mapping[str, str]], where: str) -> list[FieldError]:
    """Return errors of a render by itself as those of the render at ``where``."""
    return [_moved(error["field"], error["message"], where) for error in errors]


def _moved(field: str, message: str, where: str) -> FieldError:
    """Return an error of a render by itself as one of the render at ``where``."""
    # Of an entry of params only that can be wrong: the rest is the common render's, which was read before.
    place = where if where.startswith("params") else f"{where}.{field}"
    plain = message.removeprefix(field)
    return {"field": place, "message": f"{place}{plain}" if plain != message else f"{place}: {plain}"}
