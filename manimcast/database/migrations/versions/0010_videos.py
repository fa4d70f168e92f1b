"""Videos that several renders show, requests that share a render, and what expires."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the columns. Each video that is there is shown by one render."""
    op.create_table(
        "videos",
        sa.Column("place", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("key", sa.String(64)),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("kept", sa.JSON),
        sa.Column("shown", sa.Integer, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
    )
    op.create_index("videos_by_key", "videos", ["key", "made"])
    op.create_index("videos_by_shown", "videos", ["shown"])
    op.create_table(
        "chores",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("until", sa.Double, nullable=False),
    )
    with op.batch_alter_table("renders") as table:
        table.add_column(sa.Column("place", sa.String(64)))
        table.add_column(sa.Column("expired_at", sa.DateTime(timezone=True)))
        table.add_column(sa.Column("flight", sa.String(64)))
        table.add_column(sa.Column("abandoned", sa.Boolean, nullable=False, server_default=sa.false()))
        table.create_index("renders_by_end", ["finished_at"])
        table.create_index("renders_by_flight", ["flight", "status"])
    op.create_index(
        "renders_flying",
        "renders",
        ["flight"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    _count_videos()


def _count_videos() -> None:
    connection = op.get_bind()
    renders = sa.table("renders", sa.column("id"), sa.column("place"))
    videos = sa.table(
        "videos",
        *(sa.column(name) for name in ("place", "tenant", "shown", "made")),
        sa.column("files", sa.JSON),
    )
    found = connection.execute(sa.text("SELECT id, tenant, files FROM renders WHERE files IS NOT NULL")).all()
    for render_id, tenant, stored in found:
        files = json.loads(stored) if isinstance(stored, str) else stored
        place = files.get("place") or render_id
        values = {"place": place, "tenant": tenant, "files": files | {"place": place}, "shown": 1, "made": 0}
        connection.execute(sa.insert(videos).values(values))
        connection.execute(sa.update(renders).where(renders.c.id == render_id).values(place=place))


def downgrade() -> None:
    """Drop them. Renders that show one video are each taken to have their own, so it goes with the first of them."""
    op.drop_index("renders_flying", "renders")
    with op.batch_alter_table("renders") as table:
        table.drop_index("renders_by_flight")
        table.drop_index("renders_by_end")
        for name in ("abandoned", "flight", "expired_at", "place"):
            table.drop_column(name)
    op.drop_table("chores")
    op.drop_table("videos")
