"""A running control plane for the tests of this directory, one for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.modal_plane.client import Client, client
from tests.modal_plane.running import RunningPlane, plane


@pytest.fixture(scope="module")
def module_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlane]:
    """Run a control plane for a module's tests. Tests that break it for good run one of their own."""
    with plane(tmp_path_factory.mktemp("plane")) as running:
        yield running


@pytest.fixture
def modal_plane(module_plane: RunningPlane) -> Iterator[RunningPlane]:
    """Return the module's control plane, without faults; at the end, cancel what was left running.

    A call that the control plane does not know, or an error of the control plane itself, fails the test.
    """
    module_plane.clear()
    yield module_plane
    module_plane.clear()
    module_plane.cancel()
    report = module_plane.report()
    assert report.errors == []
    assert report.unimplemented == {}


@pytest.fixture(scope="module")
def caller(module_plane: RunningPlane) -> Iterator[Client]:
    """Return a client that makes one call after the other."""
    with client(module_plane) as running:
        yield running
