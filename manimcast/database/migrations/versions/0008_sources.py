"""Files that were posted beside the code of a render."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("renders") as table:
        table.add_column(sa.Column("sources", sa.JSON))


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("renders") as table:
        table.drop_column("sources")
