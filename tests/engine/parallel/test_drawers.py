"""Forked processes that draw: how many, what they tell, what becomes of those that fail."""

from __future__ import annotations

import os
import random
import select
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from manimcast.engine.parallel.drawers import DrawerFailedError, Drawers, Tell
from tests.patience import PATIENCE


@pytest.fixture
def drawers() -> Iterator[Drawers]:
    drawers = Drawers(2)
    yield drawers
    drawers.stop()


def nothing(_: Any) -> None:
    pass


def test_what_it_draws_is_told_and_its_report_comes_back(drawers: Drawers) -> None:
    told: list[int] = []
    reports: list[dict[str, Any]] = []

    def work(tell: Tell) -> dict[str, Any]:
        for _ in range(5):
            tell(2)
        return {"long": "x" * 300_000}  # more than a pipe holds

    drawers.start(work, told.append, reports.append)
    drawers.wait()
    assert sum(told) == 10
    assert reports == [{"long": "x" * 300_000}]
    assert drawers.idle


def test_no_more_than_its_limit_draw_at_once(drawers: Drawers) -> None:
    reader, writer = os.pipe()
    done: list[int] = []

    def held(number: int) -> Any:
        def work(_: Tell) -> dict[str, Any]:
            os.read(reader, 1)  # until this process lets it go
            return {"number": number}

        return work

    for number in range(2):
        drawers.start(held(number), nothing, lambda report: done.append(report["number"]))
    os.write(writer, b"xx")
    drawers.start(lambda _: {"number": 2}, nothing, lambda report: done.append(report["number"]))
    assert done, "the third begins when one of the others has ended"
    drawers.wait()
    assert sorted(done) == [0, 1, 2]
    os.close(reader)
    os.close(writer)


def test_chance_goes_on_in_it_as_here(drawers: Drawers) -> None:
    random.seed(7)
    reports: list[dict[str, Any]] = []
    drawers.start(lambda _: {"drawn": random.random()}, nothing, reports.append)
    drawers.wait()
    assert reports == [{"drawn": random.random()}]


def test_it_prints_nothing(drawers: Drawers, capfd: pytest.CaptureFixture[str]) -> None:
    def work(_: Tell) -> dict[str, Any]:
        print("drawing")
        os.write(1, b"drawing")
        return {}

    drawers.start(work, nothing, nothing)
    drawers.wait()
    assert capfd.readouterr().out == ""


def test_what_went_wrong_in_it_is_told(drawers: Drawers) -> None:
    def work(_: Tell) -> dict[str, Any]:
        raise ValueError("no paint in /tmp/render/cups\nand no brush")

    drawers.start(work, nothing, nothing)
    with pytest.raises(
        DrawerFailedError, match=r"^a process that draws ended with status 1\. ValueError: no paint in …/cups$"
    ):
        drawers.wait()


def test_one_that_is_killed_has_failed(drawers: Drawers) -> None:
    def work(_: Tell) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    drawers.start(work, nothing, nothing)
    with pytest.raises(DrawerFailedError, match="status -9"):
        drawers.wait()


def test_stopping_ends_them_all(drawers: Drawers) -> None:
    reader, writer = os.pipe()

    def work(_: Tell) -> dict[str, Any]:
        os.close(reader)
        signal.pause()
        return {}

    for _ in range(2):
        drawers.start(work, nothing, nothing)
    os.close(writer)
    drawers.stop()
    assert drawers.idle
    # Both held the other end, so that it is closed only when both are gone.
    assert select.select([reader], [], [], PATIENCE)[0] == [reader]
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_each_has_a_core_of_its_own_where_there_are_enough() -> None:
    there = tuple(sorted(os.sched_getaffinity(0)))[:2]
    drawers = Drawers(len(there), there)
    found: list[list[int]] = []
    for _ in there:
        drawers.start(
            lambda _: {"cores": sorted(os.sched_getaffinity(0))}, nothing, lambda report: found.append(report["cores"])
        )
    drawers.wait()
    assert sorted(found) == [[core] for core in there]
