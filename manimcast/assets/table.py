"""The tables of assets: their columns.

``place`` is what the storage knows the bytes by: made anew at each upload, so that deleting an asset while the same
bytes are uploaded again can never take those away. ``asset_drops`` names the places whose bytes
are to be removed: noted before the bytes are stored, and taken out when an asset claims them or when they are gone. So
a service that dies in between leaves none that nobody knows of. ``noted`` is the second, by the database's clock.
Migrations change the real tables; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, String, Table

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

asset_drops = Table(
    "asset_drops",
    metadata,
    Column("place", String(64), primary_key=True),
    Column("noted", Double, nullable=False),
    Index("asset_drops_by_time", "noted"),
)
