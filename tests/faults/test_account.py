"""Three replicas under fire: none of the renders is lost, each ends once, and all that is told of it agrees."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.trial import POSTGRESQL, SQLITE, trial

DATABASES = pytest.mark.parametrize("database", [SQLITE, POSTGRESQL])


def _try(database: str, folder: Path, count: int, faults: int) -> None:
    seed = random.randrange(1_000_000)
    print(f"to do it again: python -m tests.faults {database} --renders {count} --faults {faults} --seed {seed}")
    account = trial(database, folder, count=count, faults=faults, seed=seed)
    print(account.text())
    assert account.problems() == []
    assert len(account.entries) == count
    assert account.faults


@DATABASES
def test_every_render_is_accounted_for(tmp_path: Path, database: str) -> None:
    _try(database, tmp_path, 24, 8)


@pytest.mark.full
@pytest.mark.timeout(3600)
@DATABASES
def test_each_of_two_hundred_renders_is_accounted_for(tmp_path: Path, database: str) -> None:
    _try(database, tmp_path, 200, 40)
