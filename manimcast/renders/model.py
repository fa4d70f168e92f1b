"""What clients see of a render: its state, how far it is, what came of it.

Field names are those of the contract. The links of a result are null here: only the HTTP layer knows the
address that clients reach the service under, so it fills them in from ``result.files``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from manimcast.spec import Drawing, DrawingWork, Format, Progress, RenderReport, Sandbox, SceneError, Section
from manimcast.storage import StoredFile, StoredResult


class RenderStatus(StrEnum):
    """Where a render is in its life."""

    queued = "queued"
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    canceled = "canceled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to such a render."""
        return self in {RenderStatus.succeeded, RenderStatus.failed, RenderStatus.canceled}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RenderProgress(_Model):
    """How far a render is. ``percent``, ``frames_total`` and ``eta_seconds`` are null while not known."""

    animation_index: int
    animation_percent: int
    percent: float | None = None
    frames_done: int
    frames_total: int | None = None
    eta_seconds: float | None = None

    @classmethod
    def after(cls, progress: Progress, elapsed: float) -> Self:
        """Return ``progress`` with the seconds that are left, as it has taken ``elapsed`` seconds so far."""
        eta = round(elapsed * (100 - progress.percent) / progress.percent, 1) if progress.percent else None
        return cls(**progress.model_dump(), eta_seconds=eta)

    @classmethod
    def complete(cls, report: RenderReport) -> Self:
        """Return the progress of a render that has come to its end."""
        return cls(
            animation_index=max(0, report.animations - 1),
            animation_percent=100,
            percent=100,
            frames_done=report.frames,
            frames_total=report.frames,
            eta_seconds=0,
        )


class RenderSection(_Model):
    """One section of the scene; times in seconds. ``video_url`` is set when sections are saved."""

    name: str
    type: str
    start: float
    duration: float
    video_url: str | None = None
    file: str | None = Field(default=None, exclude=True)


class RenderResult(_Model):
    """A finished video. Lengths are in pixels, ``duration`` in seconds; ``bytes`` and ``sha256`` are the video's.

    ``expires_at`` is until when the links work; at ``expired_at`` the files were removed, and since then all links are
    null. ``files`` says what lies in the storage under the name ``place``; both are left out of answers.
    """

    video_url: str | None = None
    expires_at: datetime | None = None
    expired_at: datetime | None = None
    poster_url: str | None = None
    subtitles_url: str | None = None
    sections: tuple[RenderSection, ...] = ()
    duration: float
    width: int
    height: int
    frame_rate: float
    frames: int
    bytes: int
    sha256: str
    scene: str
    format: Format
    media_type: str
    warnings: tuple[str, ...] = ()
    place: str = Field(exclude=True)
    files: tuple[StoredFile, ...] = Field(exclude=True)

    @classmethod
    def of(cls, report: RenderReport, stored: StoredResult, expired_at: datetime | None = None) -> Self:
        """Put together what the engine told and what the storage holds, or held until ``expired_at``."""
        return cls(
            expired_at=expired_at,
            sections=tuple(_section(section) for section in report.sections),
            duration=report.duration,
            width=report.width,
            height=report.height,
            frame_rate=report.frame_rate,
            frames=report.frames,
            bytes=stored.video.bytes,
            sha256=stored.video.sha256,
            scene=report.scene,
            format=report.format,
            media_type=report.media_type,
            warnings=report.warnings,
            place=stored.place or "",
            files=stored.files,
        )

    @property
    def video(self) -> StoredFile:
        """The file that the client asked for."""
        return StoredResult(place=self.place, files=self.files).video


def _section(section: Section) -> RenderSection:
    return RenderSection(**section.model_dump())


class CacheMode(StrEnum):
    """What a request wants of the caches: use and fill them, only fill them anew, or neither."""

    use = "use"
    refresh = "refresh"
    off = "off"


class RenderCache(_Model):
    """What of a render was taken from a cache."""

    hit: Literal["none", "segments", "result"] = "none"
    animations_reused: int = 0
    animations_rendered: int | None = None


class RenderCost(_Model):
    """What a render cost, as far as one can tell."""

    usd_estimate: float
    basis: str


class Render(_Model):
    """A render as a client sees it.

    ``attempt`` counts the tries that were begun, so it is 0 until the first one. ``started_at`` is when the
    present attempt began. ``queue_position`` is 1 for the render that has waited longest, and null unless queued.
    ``timings`` are seconds. ``spec`` is the request without its code. ``executor`` is where it runs or ran, and
    ``sandbox`` how it was confined there. ``drawing`` says how its frames were drawn; it is null until it has
    succeeded, and when they came from an earlier render. ``work``, what that took, is left out of answers that it was
    not asked for in. ``webhook`` is where its end is told; it is a resource of its own, and left out as well.
    ``item`` is its position in the batch ``batch_id``, from 0, if it is of one.
    """

    id: str
    status: RenderStatus
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    spec: dict[str, Any]
    executor: str | None = None
    attempt: int = 0
    queue_position: int | None = None
    progress: RenderProgress | None = None
    result: RenderResult | None = None
    timings: dict[str, float] = {}
    fingerprint: dict[str, str] = {}
    sandbox: Sandbox | None = None
    drawing: Drawing | None = None
    work: DrawingWork | None = Field(default=None, exclude=True)
    cache: RenderCache = RenderCache()
    cost: RenderCost | None = None
    error: SceneError | None = None
    metadata: dict[str, Any] | None = None
    webhook: str | None = Field(default=None, exclude=True)
    batch_id: str | None = None
    item: int | None = None
