"""Why the service does not take a render, or does not know it."""

from __future__ import annotations


class QueueFull(Exception):  # noqa: N818 - it reads as what happened
    """As many renders wait as may. ``retry_after`` is in seconds: about when a place will be free."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"the queue is full; try again in about {retry_after:.0f} s")
        self.retry_after = retry_after


class NoExecutor(Exception):  # noqa: N818 - it reads as what happened
    """Nothing can render now. ``reason`` says why, and what would help."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StoppingError(Exception):
    """The service ends before it could do what it was asked for; another one, or the next start, can."""

    def __init__(self) -> None:
        super().__init__("the service is stopping")


class BatchNotFound(LookupError):  # noqa: N818 - it reads as what happened
    """The tenant has no batch with this id."""

    def __init__(self, batch_id: str) -> None:
        super().__init__(f"there is no batch {batch_id[:100]}")
        self.batch_id = batch_id


class RenderNotFound(LookupError):  # noqa: N818 - it reads as what happened
    """The tenant has no render with this id."""

    def __init__(self, render_id: str) -> None:
        super().__init__(f"there is no render {render_id[:100]}")
        self.render_id = render_id
