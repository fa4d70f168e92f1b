"""What one call asks for, done in children of the container's warm process: a render, or a dry run."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from manimcast import wire
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import ExecutorError
from manimcast.executors.confined import inspect_in_child, render_in_child
from manimcast.executors.inspection import inspect_scenes
from manimcast.executors.modal.protocol import Call
from manimcast.executors.price import Rate
from manimcast.executors.segments import RenderSegments, Shelf
from manimcast.executors.typeset import Typesetter
from manimcast.inspection import Inspection
from manimcast.sandbox.host.zygote import Zygote

Heard = wire.Message | Inspection | ExecutorError | None
_UNPRICED = Rate(cores=0, gib=0, usd_core_second=0, usd_gib_second=0)
"""What a dry run is estimated with here: the service knows the prices."""


@dataclass(frozen=True)
class Work:
    """One call's work; the files that come of it lie in ``into``, its segments on ``shelf``, if any are kept."""

    zygote: Zygote
    call: Call
    into: Path
    typesetter: Typesetter
    shelf: Shelf | None = None

    async def listen(self, tell: Callable[[Heard], None]) -> None:
        """Do it and pass on what is said; last an error, or None."""
        try:
            with _attached(self.call, self.into) as attached:
                match self.call.operation:
                    case "render":
                        async with aclosing(self._render(attached)) as messages:
                            async for message in messages:
                                tell(message)
                    case "inspect":
                        tell(await self._inspect(attached))
        except ExecutorError as error:
            tell(error)
        except Exception as error:  # noqa: BLE001  whoever waits for the next message must hear of it
            tell(ExecutorError(f"{type(error).__name__}: {error}"))
        else:
            tell(None)

    def _render(self, attached: Sequence[Attachment]) -> AsyncGenerator[wire.Message, None]:
        segments = RenderSegments(self.shelf, self.call.limits.file_bytes) if self.shelf is not None else None
        return render_in_child(
            self.zygote,
            wire.Job(spec=self.call.spec, limits=self.call.limits, reuse=segments is not None),
            render_id=self.call.token or "render",
            into=self.into,
            timeout=self.call.timeout,
            typesetter=self.typesetter,
            segments=segments,
            attached=attached,
        )

    async def _inspect(self, attached: Sequence[Attachment]) -> Inspection:
        def launch(job: wire.InspectJob, seconds: float) -> AsyncGenerator[wire.Message | wire.Inspecting, None]:
            return inspect_in_child(
                self.zygote,
                job,
                beside=self.into.parent,
                timeout=seconds,
                typesetter=self.typesetter,
                attached=attached,
            )

        return await inspect_scenes(
            self.call.spec, limits=self.call.limits, timeout=self.call.timeout, rate=_UNPRICED, launch=launch
        )


@contextmanager
def _attached(call: Call, into: Path) -> Iterator[tuple[Attachment, ...]]:
    """Write the assets of a call into files that have no name."""
    if [len(content) for content in call.attached] != [asset.bytes for asset in call.spec.assets]:
        raise ExecutorError("the assets of the call are not those of its spec")
    with ExitStack() as files:
        attached = []
        for content in call.attached:
            file = files.enter_context(tempfile.TemporaryFile(dir=into.parent))
            file.write(content)
            file.flush()
            attached.append(Attachment(file, len(content)))
        yield tuple(attached)
