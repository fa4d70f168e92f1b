"""The life of a render: admitted, queued, run, followed, canceled, kept."""

from manimcast.renders.errors import NoExecutor, QueueFull, RenderNotFound, StoreError
from manimcast.renders.model import Render, RenderProgress, RenderResult, RenderSection, RenderStatus
from manimcast.renders.service import RenderService
from manimcast.renders.store import RenderStore

__all__ = [
    "NoExecutor",
    "QueueFull",
    "Render",
    "RenderNotFound",
    "RenderProgress",
    "RenderResult",
    "RenderSection",
    "RenderService",
    "RenderStatus",
    "RenderStore",
    "StoreError",
]
