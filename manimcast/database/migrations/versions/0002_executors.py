"""Several executors: which one was asked for, what each failed in, and what a render cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Renders that are there asked for nothing in particular."""
    with op.batch_alter_table("renders") as table:
        table.add_column(sa.Column("requested_executor", sa.String(64), nullable=False, server_default="auto"))
        table.add_column(sa.Column("faults", sa.JSON))
        table.add_column(sa.Column("cost", sa.JSON))


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("renders") as table:
        for name in ("cost", "faults", "requested_executor"):
            table.drop_column(name)
