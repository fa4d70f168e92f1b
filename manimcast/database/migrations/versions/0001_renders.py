"""The first shape: one table of renders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "renders",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("metadata", sa.JSON),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("executor", sa.String(64)),
        sa.Column("progress", sa.JSON),
        sa.Column("report", sa.JSON),
        sa.Column("files", sa.JSON),
        sa.Column("error", sa.JSON),
    )
    op.create_index("renders_by_status", "renders", ["status", "id"])
    op.create_index("renders_by_tenant", "renders", ["tenant", "id"])


def downgrade() -> None:
    """Drop the table, and with it every render."""
    op.drop_table("renders")
