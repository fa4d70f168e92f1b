"""The table of renders: its columns.

The table decides who owns a render. ``attempt`` is the fence: every claim raises it, and nothing is written to
a running render except by whoever names its present attempt. ``owner`` is the service process that runs the
render. ``failures`` counts the attempts that were lost to the end of a service, and ``faults`` has, by the
executors' names, what they failed in (:class:`~manimcast.executors.policy.Fault`): both are bounded.
``lease_until`` is until when the owner has the render, in seconds by the database's clock: an owner that lives puts it
off again and again, and one that does not has lost the render then. ``turn`` is its place in the queue
(:mod:`manimcast.renders.order`).
``sources`` has the posted files beside the code.
``requested_executor`` is what the client asked for, ``executor`` what runs it or ran it; ``requested_cache`` likewise,
and ``cache`` says what came from caches. ``last_event`` is the number of the render's newest event.
``place`` names the stored video that the render shows (:mod:`manimcast.renders.videos`), until that expires, which is
``expired_at``. Renders of equal requests have the same ``flight``, of which one runs at a time, and ``abandoned`` says
that whoever asked for it has left (:mod:`manimcast.renders.flights`).
``webhook_url`` is where the end is told, if somebody wants that, and
``webhook_base`` the address of the service for links in it (:mod:`manimcast.renders.notices`).
``batch_id`` and ``item`` say which of a batch it is, from 0 (:mod:`manimcast.renders.batches`).
Migrations change the real table; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Double, Index, Integer, String, Table, Text, false, text

from manimcast.database import Instant, metadata

renders = Table(
    "renders",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("code", Text, nullable=False),
    Column("sources", JSON(none_as_null=True)),
    Column("spec", JSON(none_as_null=True), nullable=False),
    Column("metadata", JSON(none_as_null=True)),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("faults", JSON(none_as_null=True)),
    Column("owner", String(64)),
    Column("lease_until", Double),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("turn", Double, nullable=False, server_default="0"),
    Column("requested_executor", String(64), nullable=False, server_default="auto"),
    Column("executor", String(64)),
    Column("requested_cache", String(16), nullable=False, server_default="use"),
    Column("cache", JSON(none_as_null=True)),
    Column("progress", JSON(none_as_null=True)),
    Column("report", JSON(none_as_null=True)),
    Column("files", JSON(none_as_null=True)),
    Column("error", JSON(none_as_null=True)),
    Column("cost", JSON(none_as_null=True)),
    Column("last_event", Integer, nullable=False, server_default="0"),
    Column("place", String(64)),
    Column("expired_at", Instant),
    Column("flight", String(64)),
    Column("abandoned", Boolean, nullable=False, server_default=false()),
    Column("webhook_url", Text),
    Column("webhook_base", Text),
    Column("batch_id", String(40)),
    Column("item", Integer),
    Index("renders_by_status", "status", "turn", "id"),
    Index("renders_by_tenant", "tenant", "id"),
    Index("renders_by_batch", "batch_id", "item"),
    Index("renders_by_end", "finished_at"),
    Index("renders_by_flight", "flight", "status"),
    Index(
        "renders_flying",
        "flight",
        unique=True,
        sqlite_where=text("status = 'running'"),
        postgresql_where=text("status = 'running'"),
    ),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("render_id", String(40), nullable=False),
    Column("noted", Double, nullable=False),
    Index("idempotency_keys_by_age", "noted"),
    Index("idempotency_keys_by_render", "render_id"),
)
"""What clients have sent as ``Idempotency-Key``; see :mod:`manimcast.renders.idempotency`."""

events = Table(
    "events",
    metadata,
    Column("render_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("type", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("noted", Instant, nullable=False),
    Column("data", JSON, nullable=False),
)
"""What has happened to renders; see :mod:`manimcast.renders.events`."""

services = Table(
    "services",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("seen", Double, nullable=False),
    Column("executors", JSON, nullable=False),
)
"""Who works with this database, and what each can run; see :mod:`manimcast.renders.fleet`."""

videos = Table(
    "videos",
    metadata,
    Column("place", String(64), primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("key", String(64)),
    Column("files", JSON, nullable=False),
    Column("kept", JSON(none_as_null=True)),
    Column("shown", Integer, nullable=False),
    Column("made", Double, nullable=False),
    Index("videos_by_key", "key", "made"),
    Index("videos_by_shown", "shown"),
)
"""Stored videos, and how many renders show each; see :mod:`manimcast.renders.videos`."""

chores = Table(
    "chores",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("until", Double, nullable=False),
)
"""What one service at a time sees to, and until when nobody need; see :mod:`manimcast.renders.retention`."""

batches = Table(
    "batches",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("size", Integer, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("canceled", Boolean, nullable=False),
    Column("metadata", JSON(none_as_null=True)),
    Column("webhook_url", Text),
    Column("webhook_base", Text),
    Index("batches_by_tenant", "tenant", "id"),
    Index("batches_by_end", "finished_at"),
)
"""Many renders that were asked for at once, ``pending`` of them not ended; see :mod:`manimcast.renders.batches`."""

joins = Table(
    "joins",
    metadata,
    Column("batch_id", String(40), primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("status", String(16), nullable=False),
    Column("skips", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("lease_until", Double),
    Column("finished_at", Instant),
    Column("expired_at", Instant),
    Column("place", String(64)),
    Column("error", Text),
    Column("result", JSON(none_as_null=True)),
    Index("joins_by_status", "status"),
    Index("joins_by_end", "finished_at"),
)
"""Videos that are to be made of all of a batch; see :mod:`manimcast.renders.joins`."""
