"""The seam between the service and whatever renders: take a spec, yield events, end with a result or an error.

An executor's :meth:`~Executor.render` yields the wire's messages as they happen and ends with
:class:`~manimcast.wire.Finished`, the files then lying in the directory it was given, or with
:class:`~manimcast.wire.Failed` when the scene is at fault. When the executor itself is at fault it raises
:class:`ExecutorError`, and the render may be tried again, here or elsewhere. Closing the generator cancels
the render: by the time ``aclose`` returns, nothing of it runs any more.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from manimcast.executors.attachment import Attachment
from manimcast.executors.price import Rate
from manimcast.executors.segments import Reuse
from manimcast.spec import RenderSpec
from manimcast.wire import Message


class ExecutorError(Exception):
    """The executor, not the scene, failed.

    ``again`` says whether the same executor is worth another try. Another executor always is. ``headline`` is
    what a log line begins with, when it is not the executor's name, "failed" and the message.
    """

    def __init__(self, message: str, *, again: bool = True, headline: str | None = None) -> None:
        super().__init__(message)
        self.again = again
        self.headline = headline


@dataclass(frozen=True)
class ExecutorStatus:
    """What an executor can do right now.

    ``reason`` says why it is not available, and what would help; ``lasting`` that this will not change while the
    service runs. ``details`` goes into health as it is.
    """

    available: bool
    reason: str | None = None
    lasting: bool = False
    details: dict[str, object] = field(default_factory=dict)


class Executor(Protocol):
    """Somewhere that renders run.

    Attributes
    ----------
    name
        What clients ask for it by.
    slots
        Renders that it runs at once.
    tries
        How often it may fail one render before that render has to go elsewhere.
    overtime
        Seconds past a render's timeout after which the executor itself counts as stuck.
    rate
        What its renders cost.
    """

    name: str
    slots: int
    tries: int
    overtime: float
    rate: Rate

    async def start(self) -> None:
        """Get ready; returns at once and warms up in the background."""

    async def stop(self) -> None:
        """End whatever still runs and leave no process behind."""

    def status(self) -> ExecutorStatus:
        """Tell without waiting whether a render could start."""

    def versions(self) -> Mapping[str, str] | None:
        """Return the fingerprint of the engine that a render would run on; None while that is not known."""

    def render(
        self,
        spec: RenderSpec,
        *,
        render_id: str,
        into: Path,
        timeout: float,
        reuse: Reuse | None = None,
        attached: Sequence[Attachment] = (),
    ) -> AsyncGenerator[Message, None]:
        """Render ``spec`` within ``timeout`` seconds and put the finished files into the directory ``into``.

        ``reuse`` says whose segments it may have, where the executor keeps any; ``attached`` are the assets of
        ``spec``, in order.
        """
