"""The life of a render: admitted, queued, run, listened to, canceled, kept."""

from manimcast.renders.batch_model import Batch
from manimcast.renders.batches import Batches, JoinWish
from manimcast.renders.errors import BatchNotFound, NoExecutor, QueueFull, RenderNotFound, StoppingError
from manimcast.renders.events import Event, EventType
from manimcast.renders.fleet import NO_WORKER, Offer
from manimcast.renders.idempotency import KeyTakenError, RequestKey
from manimcast.renders.inspections import Inspections
from manimcast.renders.joiner import JoinWorker
from manimcast.renders.joins import Join, JoinStatus, JoinStore
from manimcast.renders.model import (
    CacheMode,
    Render,
    RenderCache,
    RenderCost,
    RenderProgress,
    RenderResult,
    RenderSection,
    RenderStatus,
)
from manimcast.renders.notices import Notices
from manimcast.renders.outcomes import executor_at_fault
from manimcast.renders.rows import Draft, WebhookWish
from manimcast.renders.service import RenderService
from manimcast.renders.store import RenderStore

__all__ = [
    "NO_WORKER",
    "Batch",
    "BatchNotFound",
    "Batches",
    "CacheMode",
    "Draft",
    "Event",
    "EventType",
    "Inspections",
    "Join",
    "JoinStatus",
    "JoinStore",
    "JoinWish",
    "JoinWorker",
    "KeyTakenError",
    "NoExecutor",
    "Notices",
    "Offer",
    "QueueFull",
    "Render",
    "RenderCache",
    "RenderCost",
    "RenderNotFound",
    "RenderProgress",
    "RenderResult",
    "RenderSection",
    "RenderService",
    "RenderStatus",
    "RenderStore",
    "RequestKey",
    "StoppingError",
    "WebhookWish",
    "executor_at_fault",
]
