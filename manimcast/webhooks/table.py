"""The tables of deliveries and of the attempts at them.

A delivery is one event for one receiver, of a subject: a render or a batch, by its id. ``due`` is when anybody may take
it, in seconds by the database's clock: the next try's time, or, while somebody has it, the end of their lease. It is
null once the delivery has ended. ``number`` counts the attempts that were begun and is the fence: only who names the
present one says when to go on. ``tries`` counts those since it was last asked for, which is what the schedule goes by.
``place`` is the receiver, as far as it can be kept busy. ``data`` is the subject as it was, for when it is no more; of
one that was deleted (``is_kept``) nothing is left once its delivery has ended.
Migrations change the real tables; a test compares them.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Double, ForeignKey, Index, Integer, String, Table, Text

from manimcast.database import metadata

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("type", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("place", String(300), nullable=False),
    Column("base", Text),
    Column("data", JSON(none_as_null=True), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created", Double, nullable=False),
    Column("ended", Double),
    Column("due", Double),
    Column("number", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("is_kept", Boolean, nullable=False),
    Index("webhook_deliveries_by_due", "due"),
    Index("webhook_deliveries_by_subject", "subject"),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("delivery", String(40), ForeignKey("webhook_deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started", Double, nullable=False),
    Column("lease", Double, nullable=False),
    Column("ended", Double),
    Column("status", Integer),
    Column("reason", Text),
    Column("body", Text),
    Column("next", Double),
)
