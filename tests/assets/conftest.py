"""Both databases, as for renders."""

from tests.renders.conftest import anyio_backend, database_url, postgres, settings

__all__ = ["anyio_backend", "database_url", "postgres", "settings"]
