"""Between a row of the table and the render that a client sees."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from manimcast.database import Present
from manimcast.executors.policy import AUTO, Fault, Faults
from manimcast.renders.idempotency import RequestKey
from manimcast.renders.kept import KeptResult
from manimcast.renders.model import (
    CacheMode,
    Render,
    RenderCache,
    RenderCost,
    RenderProgress,
    RenderResult,
    RenderStatus,
)
from manimcast.renders.table import renders
from manimcast.spec import RenderReport, RenderSpec, SceneError
from manimcast.storage import StoredResult

LISTED = [column for column in renders.c if column.name not in {"code", "sources"}]
"""What is read to show a render: everything but the code and its files, which may be megabytes."""


@dataclass(frozen=True)
class Waiting:
    """A render in the queue, as far as it matters for where it may run."""

    id: str
    requested: str
    faults: Faults


@dataclass(frozen=True)
class State:
    """Where a render stands. ``is_live``: somebody still has a lease on it."""

    status: RenderStatus
    attempt: int
    last_event: int
    is_live: bool


@dataclass(frozen=True)
class WebhookWish:
    """Where the end of a render is to be told. ``base`` is the service's address, as whoever asks reaches it."""

    url: str
    base: str


@dataclass(frozen=True)
class Draft:
    """What a client asks for, as far as that is its own to say. ``webhook`` is where its end is told."""

    spec: RenderSpec
    executor: str = AUTO
    cache: CacheMode = CacheMode.use
    priority: int = 0
    metadata: dict[str, Any] | None = None
    webhook: WebhookWish | None = None


@dataclass(frozen=True)
class NewRender:
    """What somebody asks for. ``requested`` names the one executor that may run it, or is ``auto``."""

    id: str
    tenant: str
    spec: RenderSpec
    requested: str = AUTO
    cache: CacheMode = CacheMode.use
    priority: int = 0
    metadata: dict[str, Any] | None = None
    key: RequestKey | None = None
    webhook: WebhookWish | None = None
    flight: str | None = None

    def values(self) -> dict[str, Any]:
        """Return the columns that say so; ``created_at`` is for the statement that enters them."""
        return {
            "id": self.id,
            "tenant": self.tenant,
            "code": self.spec.code,
            "sources": self.spec.files or None,
            "spec": self.spec.model_dump(mode="json", exclude={"code", "files"}),
            "requested_executor": self.requested,
            "requested_cache": self.cache.value,
            "priority": self.priority,
            "metadata": self.metadata,
            "flight": self.flight,
            "failures": 0,
            "webhook_url": self.webhook and self.webhook.url,
            "webhook_base": self.webhook and self.webhook.base,
        }


@dataclass(frozen=True)
class Claim:
    """A render that was taken to be run, and the number of the attempt that this is."""

    id: str
    tenant: str
    attempt: int
    spec: RenderSpec
    requested: str = AUTO
    faults: Faults = field(default_factory=dict)
    cache: CacheMode = CacheMode.use

    @property
    def place(self) -> str:
        """The name under which the attempt's files go into the storage: no other attempt's, which may be late."""
        return place_of(self.id, self.attempt)


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with ``report``, ``stored``, ``cost`` and ``cache``, or with ``error``; how far it came.

    A new video may answer for the same request again by ``key`` and ``kept``; one that ``shares`` is another render's.
    """

    status: RenderStatus
    report: RenderReport | None = None
    stored: StoredResult | None = None
    cost: RenderCost | None = None
    cache: RenderCache | None = None
    error: SceneError | None = None
    progress: RenderProgress | None = None
    key: str | None = None
    kept: KeptResult | None = None
    shares: bool = False

    def values(self, when: datetime | None = None) -> dict[str, Any]:
        """Return the columns that say so, and that it was at ``when``: at the statement's own time, by default."""
        return {
            "status": self.status.value,
            "finished_at": Present() if when is None else when,
            "report": self.report and self.report.model_dump(mode="json"),
            "files": self.stored and self.stored.model_dump(mode="json"),
            "place": self.stored and self.stored.place,
            "cost": self.cost and self.cost.model_dump(mode="json"),
            "cache": self.cache and self.cache.model_dump(mode="json"),
            "error": self.error and self.error.model_dump(mode="json"),
        } | ({"progress": self.progress.model_dump(mode="json")} if self.progress else {})


def place_of(render_id: str, attempt: int) -> str:
    """Return the name under which an attempt's files go into the storage."""
    return render_id if attempt <= 1 else f"{render_id}-{attempt}"


def id_of(place: str) -> str:
    """Return the id of the render of which an attempt's files have this name in the storage."""
    return place.partition("-")[0]


def attempt_of(place: str) -> int:
    """Return the number of the attempt of which the files have this name in the storage."""
    return int(place.partition("-")[2] or 1)


def to_state(row: Row[Any, Any]) -> State:
    """Return where the render of a row stands."""
    return State(RenderStatus(row.status), row.attempt, row.last_event, bool(row.is_live))


def to_spec(row: Row[Any, Any, Any]) -> RenderSpec:
    """Return the whole request, code and files included."""
    return RenderSpec.model_validate({**row.spec, "code": row.code, "files": row.sources or {}})


def to_faults(stored: dict[str, Any] | None) -> dict[str, Fault]:
    """Return what the column ``faults`` says."""
    return {executor: Fault(**fault) for executor, fault in (stored or {}).items()}


def from_faults(faults: Faults) -> dict[str, Any] | None:
    """Return what the column ``faults`` is to say."""
    return {executor: asdict(fault) for executor, fault in faults.items()} or None


def to_render(row: Row[Any, Any], queue_position: int | None = None) -> Render:
    """Return the render of a row of :data:`LISTED` columns."""
    report = RenderReport.model_validate(row.report) if row.report else None
    stored = StoredResult.model_validate({"place": row.id} | row.files) if row.files else None
    return Render(
        id=row.id,
        status=RenderStatus(row.status),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        spec={**row.spec, "executor": row.requested_executor, "cache": row.requested_cache, "priority": row.priority},
        executor=row.executor,
        attempt=row.attempt,
        queue_position=queue_position,
        progress=RenderProgress.model_validate(row.progress) if row.progress else None,
        result=RenderResult.of(report, stored, row.expired_at) if report and stored else None,
        timings=_timings(row, report),
        fingerprint=report.fingerprint if report else {},
        sandbox=report.sandbox if report else None,
        drawing=report.drawing if report else None,
        work=report.work if report else None,
        cache=_cache(row, report),
        cost=RenderCost.model_validate(row.cost) if row.cost else None,
        error=SceneError.model_validate(row.error) if row.error else None,
        metadata=row.metadata,
        webhook=row.webhook_url,
        batch_id=row.batch_id,
        item=row.item,
    )


def _cache(row: Row[Any, Any], report: RenderReport | None) -> RenderCache:
    if row.cache:
        return RenderCache.model_validate(row.cache)
    if report is None:
        return RenderCache()
    reused = min(report.animations_reused, report.animations)
    return RenderCache(
        hit="segments" if reused else "none",
        animations_reused=reused,
        animations_rendered=report.animations - reused,
    )


def _timings(row: Row[Any, Any], report: RenderReport | None) -> dict[str, float]:
    """Return the engine's own timings, the wait before the present attempt, and the total, in seconds."""
    timings = dict(report.timings) if report else {}
    if row.started_at:
        timings["queued"] = _seconds(row.created_at, row.started_at)
    if row.finished_at:
        timings["total"] = _seconds(row.created_at, row.finished_at)
    return timings


def _seconds(start: datetime, end: datetime) -> float:
    return round(max(0.0, (end - start).total_seconds()), 3)
