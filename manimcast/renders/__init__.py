"""The life of a render: admitted, queued, run, followed, canceled, kept."""

from manimcast.renders.errors import NoExecutor, QueueFull, RenderNotFound, StoreError
from manimcast.renders.inspections import Inspections
from manimcast.renders.live import AttemptBegan
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
from manimcast.renders.outcomes import executor_at_fault
from manimcast.renders.service import RenderService
from manimcast.renders.store import RenderStore

__all__ = [
    "AttemptBegan",
    "CacheMode",
    "Inspections",
    "NoExecutor",
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
    "StoreError",
    "executor_at_fault",
]
