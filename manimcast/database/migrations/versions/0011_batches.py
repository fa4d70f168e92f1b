"""Batches: many renders that were asked for at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and say of renders which batch they are of. Those that are there are of none."""
    op.create_table(
        "batches",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("pending", sa.Integer, nullable=False),
        sa.Column("canceled", sa.Boolean, nullable=False),
        sa.Column("metadata", sa.JSON),
        sa.Column("webhook_url", sa.Text),
        sa.Column("webhook_base", sa.Text),
    )
    op.create_index("batches_by_tenant", "batches", ["tenant", "id"])
    op.create_index("batches_by_end", "batches", ["finished_at"])
    with op.batch_alter_table("renders") as table:
        table.add_column(sa.Column("batch_id", sa.String(40)))
        table.add_column(sa.Column("item", sa.Integer))
        table.create_index("renders_by_batch", ["batch_id", "item"])


def downgrade() -> None:
    """Drop them. The renders stay, each by itself."""
    with op.batch_alter_table("renders") as table:
        table.drop_index("renders_by_batch")
        for name in ("item", "batch_id"):
            table.drop_column(name)
    op.drop_table("batches")
