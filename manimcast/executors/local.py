"""Render on this machine: children of one warm process draw, under a supervisor that keeps it alive.

How they are confined is found out once, at the start. Below the full tier nothing is rendered, unless the operator
chose that (``SANDBOX``).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from manimcast import wire
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import ExecutorError, ExecutorStatus
from manimcast.executors.confined import bounds_of, inspect_in_child, limits_of, render_in_child
from manimcast.executors.cores import CorePool
from manimcast.executors.inspection import inspect_scenes
from manimcast.executors.joining import CannotJoinError, Video, VideoKind, join_in_child
from manimcast.executors.price import Rate
from manimcast.executors.segments import Reuse, SegmentCache
from manimcast.executors.typeset import Typesetter
from manimcast.inspection import Inspection
from manimcast.sandbox.host.probe import Ground, examine
from manimcast.sandbox.host.supervisor import Supervisor
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.sandbox.layers import Tier, tier_of
from manimcast.settings import MIB, SandboxMode, Settings
from manimcast.spec import JsonObject, RenderSpec
from manimcast.wire import Message


class LocalExecutor:
    """The executor that renders in processes of this machine."""

    name = "local"
    is_here = True
    tries = 3
    overtime = 60.0

    def __init__(self, settings: Settings) -> None:
        self.slots = settings.slots
        self.rate = Rate(
            cores=settings.drawers,
            gib=settings.render_memory / 1024,
            usd_core_second=settings.local_price_core_second,
            usd_gib_second=settings.local_price_gib_second,
        )
        self._settings = settings
        self._limits = limits_of(settings)
        self._cores = CorePool.from_settings(settings)
        self._typesetter = Typesetter.from_settings(settings)
        self._segments = SegmentCache.from_settings(settings)
        self._supervisor = Supervisor(
            bounds_of(settings),
            recycle=settings.recycle_renders,
            insists=settings.sandbox is SandboxMode.strict,
            prepared_tex=settings.prepared_tex,
        )
        self._ground: Ground | None = None
        self._refused: str | None = None

    async def start(self) -> None:
        """Find out how scenes can be confined here, and begin to warm up in the background."""
        self._ground = await ground_of(self._settings)
        if self._settings.sandbox is SandboxMode.strict and self._ground.tier is not Tier.full:
            self._refused = (
                f"this host does not give the full sandbox, which SANDBOX=strict insists on. {self._ground.missing()}"
            )
            return
        await self._supervisor.start(self._ground)

    async def stop(self) -> None:
        """End every render and the warm process."""
        await self._typesetter.close()
        await self._supervisor.stop()

    def status(self) -> ExecutorStatus:
        """Tell whether a render could start, and what would keep it apart."""
        state = self._supervisor.state()
        return ExecutorStatus(
            available=self._refused is None and (state.ready or state.starting),
            reason=self._refused or state.reason,
            lasting=self._refused is not None,
            details={
                "ready": state.ready or self._refused is not None,
                "restarts": state.restarts,
                "sandbox": self._sandbox(),
            },
        )

    def _sandbox(self) -> JsonObject:
        if self._ground is None:
            return {"mode": self._settings.sandbox.value, "tier": Tier.none.value, "layers": [], "missing": []}
        layers = self._supervisor.layers() or self._ground.layers
        return {
            "mode": self._settings.sandbox.value,
            "tier": tier_of(layers).value,
            "layers": sorted(layer.value for layer in layers),
            "landlock_abi": self._ground.landlock_abi,
            "escapes": list(self._supervisor.escapes),
            "missing": [
                {"layer": lack.layer.value, "reason": lack.reason, "remedy": lack.remedy} for lack in self._ground.lacks
            ],
        }

    def versions(self) -> Mapping[str, str] | None:
        """Return the fingerprint that the warm process found; None while there is no such process."""
        return self._supervisor.fingerprint()

    async def render(
        self,
        spec: RenderSpec,
        *,
        render_id: str,
        into: Path,
        timeout: float,
        reuse: Reuse | None = None,
        attached: Sequence[Attachment] = (),
    ) -> AsyncGenerator[Message, None]:
        """Render ``spec`` within ``timeout`` seconds; see :class:`~manimcast.executors.base.Executor`."""
        zygote = await self._zygote()
        segments = None
        if self._segments is not None and reuse is not None:
            segments = self._segments.of(reuse, zygote.fingerprint, limit=self._limits.file_bytes)
        with self._cores.some() as cores:
            limits = self._limits.model_copy(update={"cores": cores})
            job = wire.Job(spec=spec, limits=limits, reuse=segments is not None)
            stream = render_in_child(
                zygote,
                job,
                render_id=render_id,
                into=into,
                timeout=timeout,
                typesetter=self._typesetter,
                segments=segments,
                attached=attached,
            )
            async with aclosing(stream) as messages:
                async for message in messages:
                    yield message

    async def inspect(
        self, spec: RenderSpec, *, timeout: float, rate: Rate | None = None, attached: Sequence[Attachment] = ()
    ) -> Inspection:
        """Run the scenes of ``spec`` dry; see :class:`~manimcast.executors.inspection.Inspector`."""
        beside = self._settings.data_dir.absolute() / "work"

        async def launch(job: wire.InspectJob, seconds: float) -> AsyncGenerator[Message | wire.Inspecting, None]:
            zygote = await self._zygote()
            if not zygote.own_files:
                beside.mkdir(parents=True, exist_ok=True)
            stream = inspect_in_child(
                zygote, job, beside=beside, timeout=seconds, typesetter=self._typesetter, attached=attached
            )
            async with aclosing(stream) as messages:
                async for message in messages:
                    yield message

        return await inspect_scenes(spec, limits=self._limits, timeout=timeout, rate=rate or self.rate, launch=launch)

    async def join(self, videos: Sequence[Video], kind: VideoKind, *, into: Path, timeout: float) -> Path:
        """Join finished videos; see :class:`~manimcast.executors.joining.Joiner`."""
        # The videos and the file that is made of them lie in the child's files together.
        most = min(self._limits.file_bytes, self._settings.render_disk * MIB // 2 - MIB)
        if (size := sum(video.size for video in videos)) > most:
            raise CannotJoinError(f"they are {size} bytes together; at most {most} are joined")
        return await join_in_child(await self._zygote(), videos, kind, into=into, timeout=timeout, most=most + MIB)

    async def _zygote(self) -> Zygote:
        if self._refused is not None:
            raise ExecutorError(self._refused, again=False)
        try:
            return await self._supervisor.zygote()
        except ZygoteError as error:
            raise ExecutorError(str(error)) from error


async def ground_of(settings: Settings) -> Ground:
    """Return how scenes are confined on this host with these settings."""
    if settings.sandbox is SandboxMode.off:
        return Ground()
    further = [*settings.sandbox_readable, *([settings.prepared_tex] if settings.prepared_tex else [])]
    return await examine(owner=(settings.sandbox_user, settings.sandbox_user), readable=further)
