"""What tests of storages in buckets have in common: the loop that they run on, and that nobody waits for long."""

from __future__ import annotations

import os

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


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing in the environment that clients of buckets heed, but what a test puts there."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
