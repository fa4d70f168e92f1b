"""Caches: what a request wants of them, and what came of that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Renders that are there wanted nothing in particular."""
    with op.batch_alter_table("renders") as table:
        table.add_column(sa.Column("requested_cache", sa.String(16), nullable=False, server_default="use"))
        table.add_column(sa.Column("cache", sa.JSON))


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("renders") as table:
        for name in ("cache", "requested_cache"):
            table.drop_column(name)
