"""Webhooks: whom to tell of a render's end, and what has become of telling it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and room for the wish beside the render."""
    op.add_column("renders", sa.Column("webhook_url", sa.Text))
    op.add_column("renders", sa.Column("webhook_base", sa.Text))
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        sa.Column("base", sa.Text),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("due", sa.Double),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("is_kept", sa.Boolean, nullable=False),
    )
    op.create_index("webhook_deliveries_by_due", "webhook_deliveries", ["due"])
    op.create_index("webhook_deliveries_by_subject", "webhook_deliveries", ["subject"])
    op.create_table(
        "webhook_attempts",
        sa.Column("delivery", sa.String(40), sa.ForeignKey("webhook_deliveries.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("lease", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("status", sa.Integer),
        sa.Column("reason", sa.Text),
        sa.Column("body", sa.Text),
        sa.Column("next", sa.Double),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("webhook_attempts")
    op.drop_table("webhook_deliveries")
    with op.batch_alter_table("renders") as batch:
        batch.drop_column("webhook_base")
        batch.drop_column("webhook_url")
