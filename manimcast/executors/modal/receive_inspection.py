"""What a container answers to a dry run: one file, taken for hostile, from which all is read but the price."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.incoming import Incoming
from manimcast.executors.modal.protocol import INSPECTION
from manimcast.executors.price import Rate
from manimcast.inspection import Inspection, SceneInspection
from manimcast.wire import Message

MAX_INSPECTION = 64 * 1024 * 1024
"""Bytes of an answer; a scene of 2,000 plays has about a third of a MiB."""


class InspectionReceiver(Incoming[Inspection]):
    """A dry run's items. Where its answer makes no sense, the scene has interfered, as it would have here.

    ``rate`` is what a render costs.
    """

    def __init__(self, rate: Rate) -> None:
        super().__init__()
        self._rate = rate
        self._answer = bytearray()

    def _said(self, body: bytes) -> Iterator[Message]:  # noqa: ARG002
        raise ExecutorError("the container says something of a render, and none was asked for")

    def _chunk(self, name: str, data: bytes) -> None:
        if name != INSPECTION or not data:
            raise ExecutorError("the container sent another file than a dry run's")
        if len(self._answer) + len(data) > MAX_INSPECTION:
            return self._settle(f"its dry run tells more than {MAX_INSPECTION} bytes")
        self._answer += data
        return None

    def _closed(self, seconds: float) -> None:  # noqa: ARG002
        if not self._answer:
            raise ExecutorError("the container ended without saying what the dry run came to")
        try:
            told = Inspection.model_validate_json(bytes(self._answer))
        except ValidationError:
            return self._settle("its dry run tells what is not understood")
        self._answer.clear()
        self.end = told.model_copy(update={"reports": tuple(map(self._priced, told.reports))})
        return None

    def _priced(self, report: SceneInspection) -> SceneInspection:
        if report.estimate is None:
            return report
        cost = self._rate.estimate(report.estimate.seconds)
        priced = report.estimate.model_copy(update={"usd_estimate": cost.usd_estimate, "basis": cost.basis})
        return report.model_copy(update={"estimate": priced})
