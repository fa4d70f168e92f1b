"""A local executor with a loop of its own, and what tests ask of the processes on this machine."""

from __future__ import annotations

import asyncio
import itertools
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from manimcast import wire
from manimcast.executors.local import LocalExecutor
from manimcast.executors.segments import Reuse
from manimcast.settings import Settings
from manimcast.spec import ErrorCode, OutputRole, RenderReport, RenderSpec, SceneError
from tests.assets.samples import attachments, use_of
from tests.clock import Loop, expiring
from tests.patience import PATIENCE

SMALL = {"resolution": {"width": 128, "height": 72}, "frame_rate": 10}
RING = "self.play(Create(Circle()), run_time=0.3)"


def scene(body: str, *, base: str = "Scene", head: str = "") -> str:
    """Return code with one scene whose construct method is ``body``."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return f"{head}\nclass Demo({base}):\n    def construct(self):\n{lines}"


@dataclass
class Outcome:
    """What one render said, and the folder of its files."""

    folder: Path
    messages: list[wire.Message] = field(default_factory=list)

    @property
    def report(self) -> RenderReport:
        """The report of a render that must have succeeded."""
        last = self.messages[-1]
        assert isinstance(last, wire.Finished), last
        return last.report

    @property
    def error(self) -> SceneError:
        """The error of a render that must have failed."""
        last = self.messages[-1]
        assert isinstance(last, wire.Failed), last
        return last.error

    @property
    def video(self) -> Path:
        return self.folder / self.report.video.name

    def named(self, role: OutputRole) -> list[Path]:
        return [self.folder / file.name for file in self.report.files if file.role is role]

    @property
    def printed(self) -> list[str]:
        return [message.text for message in self.messages if isinstance(message, wire.Logged)]


class Rig:
    """Render through one executor, and check after each render that no scratch directory is left.

    A render has ``timeout`` seconds, which are more than it takes on a slow machine. One that is to meet this limit
    does so once ``expires_when`` holds of what has been heard of it.
    """

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root = root
        self._runner = asyncio.Runner(loop_factory=Loop)
        self._numbers = itertools.count()
        self.executor = LocalExecutor(Settings(_env_file=None, data_dir=root, **({"render_memory": 512} | settings)))
        self.run(self.executor.start())

    @property
    def layers(self) -> list[str]:
        """What keeps renders apart on this host. Known once a render has run."""
        return self.executor.status().details["sandbox"]["layers"]  # type: ignore[index]

    @property
    def fork_bomb_ends_as(self) -> set[ErrorCode]:
        """How a fork bomb ends: refused where the host has a ceiling for it, else (root, no cgroup) by its timeout."""
        return {ErrorCode.forbidden} if self._refuses_forks else {ErrorCode.forbidden, ErrorCode.timeout}

    @property
    def fork_bomb_timeout(self) -> float:
        """How long a fork bomb may last: where it is refused, for as long as that takes."""
        return PATIENCE if self._refuses_forks else 30

    @property
    def _refuses_forks(self) -> bool:
        return "pids_cgroup" in self.layers or os.getuid() != 0

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self.executor.stop())
        self._runner.close()

    def render(self, code: str, **more: Any) -> Outcome:
        """Render ``code`` with the options of :meth:`rendering`."""
        outcome: Outcome = self.run(self.rendering(code, **more))
        assert self.left_over() == []
        return outcome

    async def rendering(
        self,
        code: str,
        *,
        timeout: float = PATIENCE,
        expires_when: Callable[[Outcome], object] | None = None,
        reuse: Reuse | None = None,
        assets: Mapping[str, bytes] | None = None,
        **spec: Any,
    ) -> Outcome:
        folder = self.root / f"out-{next(self._numbers)}"
        folder.mkdir()
        outcome = Outcome(folder)
        uses = [use_of(name, content) for name, content in (assets or {}).items()]
        wanted = RenderSpec.model_validate({"code": code, "assets": uses, **SMALL, **spec})
        with attachments(assets or {}) as attached:
            stream = self.executor.render(
                wanted, render_id="r", into=folder, timeout=timeout, reuse=reuse, attached=attached
            )
            async with aclosing(stream), expiring(timeout, expires_when and partial(expires_when, outcome)):
                async for message in stream:
                    outcome.messages.append(message)
        await self.executor._typesetter.settle()
        return outcome

    def left_over(self) -> list[str]:
        return [path.name for path in self.root.iterdir() if not path.name.startswith(("out-", "cache"))]


def fresh_mark() -> str:
    """Return a number of seconds, many of them, that nothing else on this machine sleeps for."""
    return f"5{uuid.uuid4().int % 10**4}.{uuid.uuid4().int % 10**12:012}"


def processes() -> Iterator[tuple[int, str]]:
    """Every process that is not a zombie: its id and its command line."""
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                command = (path / "cmdline").read_bytes()
            except OSError:
                continue
            if command:
                yield int(path.name), command.replace(b"\0", b" ").decode(errors="replace")


def running(words: str) -> list[int]:
    """The processes with ``words`` in their command line."""
    return [pid for pid, command in processes() if words in command]


def running_here(words: str) -> list[int]:
    """Those of them that this process started, or something that it started."""
    found = []
    for pid in running(words):
        with suppress(OSError):
            if os.getpid() in _ancestors(pid):
                found.append(pid)
    return found


def zygotes(parent: int | None = None) -> list[int]:
    """The warm processes below ``parent``, by default this process, without the bubblewraps around them."""
    top = os.getpid() if parent is None else parent
    found = []
    for pid in running("manimcast.sandbox.inside.zygote"):
        with suppress(OSError):
            # A child of a warm process has its command line, and its parent too.
            above = _parent(pid)
            is_child = "inside.zygote" in _command(above) and "--unshare-pid" not in _command(above)
            if "--unshare-pid" not in _command(pid) and not is_child and top in _ancestors(pid):
                found.append(pid)
    return found


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        pid = _parent(pid)
        yield pid
