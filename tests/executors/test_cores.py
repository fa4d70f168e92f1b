"""Which processors a render draws on."""

from __future__ import annotations

from pathlib import Path

import pytest

from manimcast import processors
from manimcast.executors.confined import limits_of
from manimcast.executors.cores import CorePool
from manimcast.settings import Settings


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with eight processors."""
    monkeypatch.setattr(processors, "allowed", lambda: tuple(range(8)))
    monkeypatch.setattr(processors, "quota", lambda: None)
    return monkeypatch


def pool(tmp_path: Path, **fields: int) -> CorePool:
    return CorePool.from_settings(Settings(_env_file=None, data_dir=tmp_path, **fields))


def test_renders_at_once_have_no_processor_in_common(machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cores = pool(tmp_path, render_slots=4)
    with cores.some() as first, cores.some() as second, cores.some() as third, cores.some() as fourth:
        assert sorted(first + second + third + fourth) == list(range(8))
        with cores.some() as fifth:
            assert fifth == ()
    with cores.some() as again:
        assert len(again) == 2


def test_a_share_of_the_processors_draws_each_render(machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def drawers(**fields: int) -> int:
        return Settings(_env_file=None, data_dir=tmp_path, **fields).drawers

    assert drawers() == 2
    assert drawers(render_slots=1) == 8
    assert drawers(render_slots=3) == 2
    assert drawers(render_slots=16) == 1
    assert drawers(render_slots=1, render_cores=3) == 3


def test_a_render_may_have_the_processes_that_it_is_drawn_by(machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def drawers(**fields: int) -> int:
        return limits_of(Settings(_env_file=None, data_dir=tmp_path, **fields)).drawers

    assert drawers(render_slots=1) == 8
    assert drawers(render_slots=1, render_processes=24) == 3
    assert drawers(render_slots=1, render_processes=4) == 1
    assert drawers(render_slots=1, render_cores=64, render_processes=600) == 64


def test_where_there_are_too_few_nobody_is_tied_to_one(machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pool(tmp_path, render_slots=4, render_cores=3).some() as cores:
        assert cores == ()


def test_where_others_use_them_too_nobody_is_tied_to_one(machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine.setattr(processors, "quota", lambda: 8.0)
    with pool(tmp_path).some() as cores:
        assert cores == ()
