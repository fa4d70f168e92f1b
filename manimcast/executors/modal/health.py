"""What is known of the containers on Modal: what they said last, kept for health, so that asking costs nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.connection import Connection
from manimcast.executors.modal.faults import of_call
from manimcast.executors.modal.protocol import HEALTH, versions_in
from manimcast.harmless import harmless

_FIELDS = (
    "status", "manim_version", "numpy_version", "ffmpeg_available", "ffmpeg_version", "latex_version", "timestamp",
    "error",
)  # fmt: skip

logger = logging.getLogger(__name__)


class Health:
    """What containers said of themselves.

    Attributes
    ----------
    told
        The last answer to a health check, or the like of it from the last render; None before there was any.
    facts
        Versions and layers of confinement, as the last container named them.
    """

    def __init__(self) -> None:
        self.told: dict[str, object] | None = None
        self.facts: dict[str, str] = {}

    @property
    def sandbox(self) -> dict[str, object]:
        """What keeps renders apart there."""
        layers = [layer for layer in self.facts.get("layers", "").split(",") if layer]
        return {"tier": "container", "layers": layers}

    @property
    def fingerprint(self) -> dict[str, str] | None:
        """The versions that decide pixels there; None before a container told them."""
        return versions_in(self.facts) or None

    def learn(self, facts: Mapping[str, str]) -> None:
        """Keep what a container said when it opened a render."""
        self.facts = {_text(name, 60): _text(value) for name, value in facts.items()}
        codec = self.facts.get("libavcodec")
        self.told = {
            "status": "healthy",
            "manim_version": self.facts.get("manim"),
            "numpy_version": self.facts.get("numpy"),
            "ffmpeg_available": codec is not None,
            "ffmpeg_version": codec and f"libavcodec {codec}",
            "latex_version": self.facts.get("latex"),
            "timestamp": datetime.now(UTC).isoformat(),
        }

    def take(self, answer: object) -> None:
        """Keep the answer of a health check, as text of limited length: a container wrote it."""
        if not isinstance(answer, dict):
            return
        if isinstance(facts := answer.get("facts"), dict):
            self.facts = {_text(name, 60): _text(value) for name, value in list(facts.items())[:40]}
        self.told = {
            name: value if isinstance(value := answer[name], bool) or value is None else _text(value)
            for name in _FIELDS
            if name in answer
        }

    async def ask(self, connection: Connection, seconds: float) -> None:
        """Start a container to see what it can do; a failure only keeps health from telling."""
        try:
            session = await connection.session(HEALTH)
            connection.hold(session)
            try:
                call = await session.functions[HEALTH].spawn.aio()
                try:
                    async with asyncio.timeout(seconds):
                        answer = await call.get.aio()
                except BaseException:
                    # Also when the service stops: the container would go on for nobody.
                    await asyncio.shield(asyncio.create_task(_cancel(connection, call.object_id, session)))
                    raise
            finally:
                connection.release(session)
        except Exception as error:  # noqa: BLE001  renders will tell what is wrong
            failed = of_call(error, seconds)
            reason = failed if isinstance(failed, ExecutorError) else failed.error.message
            logger.warning("Modal's health check failed: %s", reason)
        else:
            if self.told is None:
                self.take(answer)


async def _cancel(connection: Connection, call_id: str, session: Any) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await connection.cancel(call_id, session)


def _text(value: object, most: int = 1000) -> str:
    return harmless(str(value)[:most])
