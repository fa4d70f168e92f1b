"""Ids: their shape, and that their order is the order they were made in."""

from __future__ import annotations

import itertools
import re
import time

import pytest

from manimcast.renders.ids import IdMaker


def test_ids_rise_and_differ() -> None:
    maker = IdMaker()
    made = [maker.next() for _ in range(5000)]
    assert made == sorted(set(made))
    assert all(re.fullmatch(r"rnd_[0-9a-hjkmnp-tv-z]{26}", each) for each in made)


def test_ids_rise_even_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = IdMaker()
    now = time.time_ns()
    first = maker.next()
    monkeypatch.setattr(time, "time_ns", lambda: now - 3_600_000_000_000)
    assert first < maker.next() < maker.next()
    assert IdMaker().next() < first


def test_the_next_id_cannot_be_told_from_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    maker = IdMaker()
    to_base_32 = str.maketrans("abcdefghjkmnpqrstvwxyz", "abcdefghijklmnopqrstuv")
    numbers = [int(maker.next()[4:].translate(to_base_32), 32) for _ in range(50)]
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    assert len(set(steps)) == len(steps)
    assert min(steps) > 2**32
