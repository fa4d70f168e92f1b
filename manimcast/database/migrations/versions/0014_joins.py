"""Videos that are made of all the renders of a batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table. No batch that is there has one."""
    op.create_table(
        "joins",
        sa.Column("batch_id", sa.String(40), primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("skips", sa.Boolean, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.Double),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("expired_at", sa.DateTime(timezone=True)),
        sa.Column("place", sa.String(64)),
        sa.Column("error", sa.Text),
        sa.Column("result", sa.JSON),
    )
    op.create_index("joins_by_status", "joins", ["status"])
    op.create_index("joins_by_end", "joins", ["finished_at"])


def downgrade() -> None:
    """Drop it. Videos that it tells of stay in the storage, and are not found any more."""
    op.drop_table("joins")
