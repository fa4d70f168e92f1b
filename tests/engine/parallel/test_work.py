"""What segments took: the time of threads that the encoder has of its own is counted with those who wait for them."""

from __future__ import annotations

import threading
import time

import pytest

from manimcast.engine.parallel.work import Ledger, Spent
from manimcast.spec import SegmentWay

WORK = 0.1


def work() -> None:
    """Take so many seconds of this thread's processor time."""
    until = time.thread_time() + WORK
    while time.thread_time() < until:
        pass


def test_what_other_threads_take_belongs_to_what_is_encoded_behind() -> None:
    ledger = Ledger()
    behind, long, apart = Spent(SegmentWay.behind, 0.0), Spent(SegmentWay.behind, 0.0), Spent(SegmentWay.apart, 0.0)
    behind.encoding.seconds, long.encoding.seconds, apart.encoding.seconds = WORK / 8, WORK / 4, 7.0
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    ledger.close()
    ledger.settle()
    told = ledger.told([behind, long, apart], 0.0)
    assert told is not None
    first, second, other = (segment.encode for segment in told.segments)
    assert other == 7.0
    assert first + second == pytest.approx(WORK, rel=0.5)
    assert second == pytest.approx(2 * first, abs=0.001)


def test_without_other_threads_it_is_what_was_counted() -> None:
    ledger, segment = Ledger(), Spent(SegmentWay.behind, 0.0)
    segment.encoding.seconds = 0.25
    ledger.close()
    ledger.settle()
    told = ledger.told([segment], 0.0)
    assert told is not None
    assert told.segments[0].encode == 0.25
