"""One service for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import Server, serving
from tests.sandbox.hosts import without_bubblewrap

__all__ = ["without_bubblewrap"]

VIDEO = "/v1/video/rendering"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with small limits."""
    folder: Path = tmp_path_factory.mktemp("service")
    with serving(folder / "data", render_slots=2, render_memory=700, max_duration=30) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of that service."""
    with server.client() as client:
        yield client


def scene(*lines: str, base: str = "Scene") -> str:
    """Return the code of a scene ``Demo`` whose construct has ``lines``."""
    return "\n".join([f"class Demo({base}):", "    def construct(self):", *(f"        {line}" for line in lines), ""])


QUICK = scene("self.play(Create(Circle()))")
