"""The ends of renders that no executor tells of: canceled, lost, given up, the service at fault."""

from __future__ import annotations

from manimcast.executors.price import Rate
from manimcast.renders.flights import NOTHING_RENDERED, from_another
from manimcast.renders.leases import MAX_FAILURES
from manimcast.renders.model import RenderCost, RenderProgress, RenderStatus
from manimcast.renders.rows import Outcome
from manimcast.renders.videos import Videos
from manimcast.spec import ErrorCode, RenderReport, SceneError
from manimcast.storage import Storage, StoredResult

EXECUTOR_ERROR = "ExecutorError"
"""``exception`` of the error of a render that no executor could run; its code is ``internal``."""

CANCELED = Outcome(RenderStatus.canceled, error=SceneError(code=ErrorCode.canceled, message="The render was canceled."))


def finished(report: RenderReport, stored: StoredResult, rate: Rate | None) -> Outcome:
    """Return the end of a render whose video was stored by a service that died before it could say so.

    ``rate`` is that of what rendered it, as far as it is known here.
    """
    cost = None
    if rate is not None and report.compute_seconds is not None:
        estimate = rate.estimate(report.compute_seconds)
        cost = RenderCost(usd_estimate=estimate.usd_estimate, basis=estimate.basis)
    progress = RenderProgress.complete(report)
    return Outcome(RenderStatus.succeeded, report=report, stored=stored, cost=cost, progress=progress)


async def shown_again(videos: Videos, storage: Storage, key: str) -> Outcome | None:
    """Return the end of a render that shows the video of an earlier one, if there is one and it is what was stored.

    ``key`` stands for the requests that become the same video.
    """
    video = await videos.find(key)
    if video is None or not await storage.holds(video.place, video.stored):
        return None
    return Outcome(
        RenderStatus.succeeded,
        report=video.kept.again,
        stored=video.stored,
        cost=NOTHING_RENDERED,
        cache=from_another(video.kept.report),
        progress=RenderProgress.complete(video.kept.report),
        kept=video.kept,
        shares=True,
    )


def internal(message: str, *, exception: str | None = None) -> SceneError:
    """Return the error of a render that the service, not the scene, is to blame for."""
    return SceneError(code=ErrorCode.internal, message=message[:4000], exception=exception)


LOST = Outcome(
    RenderStatus.failed,
    error=internal(f"the render was lost {MAX_FAILURES} times: each time, the service that ran it ended"),
)
"""The end of a render that was under way at the end of as many services as may be."""


def given_up(reason: str) -> Outcome:
    """Return the end of a render that no executor could run; ``reason`` names every one's."""
    error = internal(f"no executor could render it: {reason}", exception=EXECUTOR_ERROR)
    return Outcome(RenderStatus.failed, error=error)


def executor_at_fault(error: SceneError) -> bool:
    """Tell whether a render ended with :func:`given_up`."""
    return error.code is ErrorCode.internal and error.exception == EXECUTOR_ERROR
