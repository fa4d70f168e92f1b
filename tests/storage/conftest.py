"""What tests of storages in buckets have in common: the loop that they run on, and that nobody waits for long."""

from __future__ import annotations

import pytest

from manimcast.storage import remote, uploads


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon, and wait for deletions however long they take."""
    monkeypatch.setattr(uploads, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(uploads, "LINGER", 0.05)
    monkeypatch.setattr(remote, "DELETING", 60)
