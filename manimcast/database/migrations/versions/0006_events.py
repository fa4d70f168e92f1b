"""What happens to renders, a row for each thing. Those that are there have one that says where they stand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from manimcast.database import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and a first event for each render."""
    events = op.create_table(
        "events",
        sa.Column("render_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("noted", Instant, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.add_column("renders", sa.Column("last_event", sa.Integer, nullable=False, server_default="0"))
    renders = sa.table(
        "renders",
        *(sa.column(name, sa.String) for name in ("id", "status")),
        *(sa.column(name, sa.Integer) for name in ("attempt", "last_event")),
        *(sa.column(name, Instant) for name in ("created_at", "started_at", "finished_at")),
    )
    when = sa.func.coalesce(renders.c.finished_at, renders.c.started_at, renders.c.created_at)
    first = sa.select(renders.c.id, sa.literal(1), renders.c.status, renders.c.attempt, when, sa.literal({}, sa.JSON))
    names = ["render_id", "number", "type", "attempt", "noted", "data"]
    op.execute(events.insert().from_select(names, first))
    op.execute(renders.update().values(last_event=1))


def downgrade() -> None:
    """Drop both."""
    with op.batch_alter_table("renders") as batch:
        batch.drop_column("last_event")
    op.drop_table("events")
