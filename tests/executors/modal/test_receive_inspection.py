"""A dry run's answer is taken for hostile: an inspection comes of it, with the service's own price, or a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal import receive_inspection
from manimcast.executors.modal.protocol import INSPECTION, PROTOCOL
from manimcast.executors.modal.receive_inspection import InspectionReceiver
from manimcast.executors.price import Rate
from manimcast.inspection import Estimate, Inspection, Play, SceneInspection
from manimcast.spec import ErrorCode, SceneError
from tests.executors.modal.conversation import Item, Talk

RATE = Rate(cores=1, gib=0, usd_core_second=2, usd_gib_second=0, leaves_out="the rest")
TOLD = Inspection(
    scenes=("A", "B", "C"),
    reports=(
        SceneInspection(
            scene="A",
            width=128,
            height=72,
            frame_rate=10,
            frames=3,
            duration=0.3,
            animations=1,
            plays=(Play(index=0, kind="Create", start=0, duration=0.3, frames=3, line=4),),
            estimate=Estimate(seconds=1.5, usd_estimate=99, basis="call me"),
            seconds=0.1,
        ),
        SceneInspection(scene="B", error=SceneError(code=ErrorCode.exception, message="no", line=9)),
    ),
)
Bend = Callable[[Talk], Iterable[Item]]


def feed(items: Iterable[Item]) -> InspectionReceiver:
    receiver = InspectionReceiver(RATE)
    for item in items:
        assert receiver.take(item) == []
    return receiver


def test_all_is_read_but_the_price() -> None:
    talk, body = Talk(), TOLD.model_dump_json().encode()
    receiver = feed(
        [
            talk.opened(),
            talk.item("alive"),
            *(talk.chunk(INSPECTION, part) for part in (body[:7], body[7:])),
            talk.closed(),
        ]
    )
    assert receiver.is_complete
    assert isinstance(receiver.end, Inspection)
    first, second = receiver.end.reports
    cost = RATE.estimate(1.5)
    assert first.estimate == Estimate(seconds=1.5, usd_estimate=cost.usd_estimate, basis=cost.basis)
    assert (cost.usd_estimate, second) == (3.0, TOLD.reports[1])
    assert first.model_copy(update={"estimate": TOLD.reports[0].estimate}) == TOLD.reports[0]
    assert receiver.end.scenes == TOLD.scenes


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (lambda t: [t.opened(), t.closed()], "without saying what the dry run came to"),
        (lambda t: [t.opened(), t.said(wire.Hello())], "says something of a render"),
        (lambda t: [t.opened(), t.chunk("video.mp4", b"x")], "another file than a dry run's"),
        (lambda t: [t.opened(), t.chunk(INSPECTION, b"")], "another file than a dry run's"),
        (lambda t: [t.opened(), t.item("fault", reason="no")], "the container is at fault: no"),
        (lambda t: [t.opened(protocol=4)], f"app speaks version 4 of the protocol, this service {PROTOCOL}: run"),
    ],
)
def test_a_container_at_fault(items: Bend, reason: str) -> None:
    with pytest.raises(ExecutorError, match=reason):
        feed(items(Talk()))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"scenes": 5}',
        b'{"news": 1}',
        b'{"reports": [{"scene": "A", "frames": -1}]}',
        b'{"reports": ' + b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_an_answer_that_makes_no_sense_is_the_scenes(body: bytes) -> None:
    talk = Talk()
    receiver = feed([talk.opened(), talk.chunk(INSPECTION, body or b" "), talk.closed()])
    assert receiver.is_settled
    assert isinstance(receiver.end, wire.Failed)
    assert receiver.end.error.code is ErrorCode.forbidden
    assert "its dry run tells what is not understood" in receiver.end.error.message


def test_no_more_is_kept_than_an_answer_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_inspection, "MAX_INSPECTION", 10)
    talk = Talk()
    receiver = feed([talk.opened(), talk.chunk(INSPECTION, b" " * 10)])
    assert not receiver.is_settled
    receiver.take(talk.chunk(INSPECTION, b" "))
    assert isinstance(receiver.end, wire.Failed)
    assert (receiver.is_settled, receiver.end.error.code) == (True, ErrorCode.forbidden)
