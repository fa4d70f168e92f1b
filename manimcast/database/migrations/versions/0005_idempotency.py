"""Keys that clients send with their requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("render_id", sa.String(40), nullable=False),
        sa.Column("noted", sa.Double, nullable=False),
    )
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["noted"])
    op.create_index("idempotency_keys_by_render", "idempotency_keys", ["render_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("idempotency_keys")
