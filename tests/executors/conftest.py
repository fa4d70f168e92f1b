"""One executor for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.executors.rig import Rig, zygotes


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("renders"))
    yield rig
    rig.close()
    assert zygotes() == []
