"""Several services on one database: leases, and a place in the queue of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. What waits keeps its order: of renders with the same turn, the smaller id is first."""
    with op.batch_alter_table("renders") as table:
        table.add_column(sa.Column("lease_until", sa.Double))
        table.add_column(sa.Column("priority", sa.Integer, nullable=False, server_default="0"))
        table.add_column(sa.Column("turn", sa.Double, nullable=False, server_default="0"))
        table.drop_index("renders_by_status")
        table.create_index("renders_by_status", ["status", "turn", "id"])
    # What a version without leases was running is nobody's any more.
    op.execute("UPDATE renders SET lease_until = 0 WHERE status = 'running'")


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("renders") as table:
        table.drop_index("renders_by_status")
        table.create_index("renders_by_status", ["status", "id"])
        for name in ("turn", "priority", "lease_until"):
            table.drop_column(name)
