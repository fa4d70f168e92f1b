"""Whole results, kept by all that decides them, so that the same request again is answered without a render.

A render is a pure function of its spec and of the engine's versions. So a finished one is kept under a digest over
both, over the operator's limits, and over whose it is: what one tenant's code made is never given to another. Failed
renders are not kept: what failed may have failed for lack of time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from manimcast.cache import BundleStore
from manimcast.executors.confined import limits_of
from manimcast.settings import MIB, ResultCache, Settings
from manimcast.spec import Count, Name, Progress, RenderReport, RenderSpec, Seconds, Strict
from manimcast.wire import Message, Played, Playing, Progressed, Started

log = logging.getLogger(__name__)

LAYOUT = 2
MOST_PLAYS = 2000
"""Plays of a result that is kept, at most; they are all told at once when it is used."""
NOT_DECISIVE = {"timeout"}
"""Fields of a spec that decide whether there is a result in time, and not what it is."""


class KeptPlay(Strict):
    """A play as its render told of it: its frames, and its seconds in the video."""

    kind: Name
    duration: Seconds
    frames: Count


class KeptResult(Strict):
    """What is kept beside the files: the report and the plays."""

    report: RenderReport
    plays: tuple[KeptPlay, ...]

    @property
    def again(self) -> RenderReport:
        """The report of a render that shows this result: without what it took the first time."""
        return self.report.model_copy(update={"timings": {}, "compute_seconds": 0.0, "drawing": None, "work": None})

    def messages(self) -> Iterator[Message]:
        """Yield what the render said of its progress, shortened to the beginning and the end of each play."""
        report = self.report
        yield Started(scene=report.scene, width=report.width, height=report.height, frame_rate=report.frame_rate)
        frames = 0
        for index, play in enumerate(self.plays):
            yield Playing(index=index, kind=play.kind, duration=play.duration)
            yield _progress(index, 0, frames, report)
            frames += play.frames
            yield _progress(index, 100, frames, report)
            yield Played(index=index, kind=play.kind, frames=play.frames, duration=play.duration)


def _progress(index: int, percent: int, frames: int, report: RenderReport) -> Progressed:
    total = report.frames
    return Progressed(
        progress=Progress(
            animation_index=index,
            animation_percent=percent,
            percent=min(100.0, round(100 * frames / total, 1)) if total else None,
            frames_done=frames,
            frames_total=total,
        )
    )


class Plays:
    """Note the plays of a render as it announces them."""

    def __init__(self) -> None:
        self._plays: list[KeptPlay] = []

    def hear(self, message: Message) -> None:
        """Take note of ``message``."""
        if isinstance(message, Played):
            self._plays.append(KeptPlay(kind=message.kind, duration=message.duration, frames=message.frames))

    @property
    def are_too_many(self) -> bool:
        """Whether there are more than would be told at once."""
        return len(self._plays) > MOST_PLAYS

    def noted(self) -> tuple[KeptPlay, ...]:
        """Return all plays so far."""
        return tuple(self._plays)


class KeptResults:
    """The results that a service keeps, if it keeps any (``RESULT_CACHE``)."""

    def __init__(self, settings: Settings) -> None:
        self._store: BundleStore | None = None
        self._limits = limits_of(settings).model_dump(mode="json")
        if settings.result_cache is ResultCache.on and settings.result_cache_mib:
            folder = settings.data_dir.absolute() / "cache" / "results"
            self._store = BundleStore(folder, settings.result_cache_mib * MIB)

    @property
    def on(self) -> bool:
        """Whether anything is kept."""
        return self._store is not None

    def key(self, spec: RenderSpec, tenant: str, versions: Mapping[str, str]) -> str:
        """Return the name of what ``spec`` becomes for ``tenant`` with these versions of the engine."""
        parts = [LAYOUT, tenant, _decisive(spec), self._limits, dict(versions)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    async def take(
        self, spec: RenderSpec, *, tenant: str, versions: Mapping[str, str] | None, into: Path
    ) -> KeptResult | None:
        """Put the files of the kept result into ``into``, which is made if need be, and return what is known of it.

        None when nothing is kept, or when ``versions`` are not known yet.
        """
        if self._store is None or not versions:
            return None
        return await asyncio.to_thread(self._take, self.key(spec, tenant, versions), into)

    async def keep(self, spec: RenderSpec, report: RenderReport, files: Path, *, tenant: str, plays: Plays) -> bool:
        """Keep the files that ``report`` names in the folder ``files``; tell whether results like this are kept."""
        if self._store is None or not report.fingerprint or plays.are_too_many:
            return False
        kept = KeptResult(report=report, plays=plays.noted())
        key = self.key(spec, tenant, report.fingerprint)
        paths = [files / file.name for file in report.files]
        if all(path.is_file() for path in paths):  # else the storage will say what is wrong
            await asyncio.to_thread(self._store.put, key, paths, kept.model_dump_json())
        return True

    def _take(self, key: str, into: Path) -> KeptResult | None:
        assert self._store is not None  # noqa: S101  else there is nothing to take
        is_new = not into.exists()
        try:
            into.mkdir(parents=True, exist_ok=True)
            if (note := self._store.take(key, into)) is not None:
                return KeptResult.model_validate_json(note)
        except OSError as error:
            log.warning("A kept result could not be used: %s", error.strerror)
        except ValidationError:  # another version of this program kept other things
            for path in into.iterdir():
                path.unlink()
        if is_new:
            shutil.rmtree(into, ignore_errors=True)
        return None


def flight_of(spec: RenderSpec, *, tenant: str, executor: str) -> str:
    """Return a name that two requests share when one's end will do for the other, whatever the versions are."""
    parts = [tenant, executor, spec.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _decisive(spec: RenderSpec) -> dict[str, object]:
    return spec.model_dump(mode="json", exclude=NOT_DECISIVE)
