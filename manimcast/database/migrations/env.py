"""How Alembic reaches the database: over the connection that the service hands it, and in no other way."""

from __future__ import annotations

from alembic import context

from manimcast.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table in place
)
with context.begin_transaction():
    context.run_migrations()
