"""The table of assets: its columns.

``place`` is what the storage knows the bytes by: made anew at each upload, so that deleting an asset while the same
bytes are uploaded again can never take those away. Migrations change the real table; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table

from manimcast.database import Instant, metadata

assets = Table(
    "assets",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("place", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("media_type", String(60), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("assets_by_time", "tenant", "created_at", "id"),
)
