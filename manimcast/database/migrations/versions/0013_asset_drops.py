"""Bytes of assets that are to be removed unless an asset claims them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "asset_drops",
        sa.Column("place", sa.String(64), primary_key=True),
        sa.Column("noted", sa.Double, nullable=False),
    )
    op.create_index("asset_drops_by_time", "asset_drops", ["noted"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("asset_drops")
