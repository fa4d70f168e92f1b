"""Who dies with whom: the service, the warm process, the render, and what the render started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from manimcast.sandbox import control
from manimcast.sandbox.host import supervisor as supervisor_module
from manimcast.sandbox.host.environment import environment
from manimcast.sandbox.host.probe import Ground, examine
from manimcast.sandbox.host.supervisor import Supervisor
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.sandbox.layers import Layer
from manimcast.sandbox.orders import Bounds
from tests.executors.rig import fresh_mark
from tests.patience import PATIENCE, eventually, until
from tests.sandbox.hosts import OWNER

ROOT = Path(__file__).parents[2]
BOUNDS = Bounds(memory=1 << 30, file_bytes=1 << 28, cpu_seconds=100, processes=32)
RENDER = """
import subprocess, os
class Demo(Scene):
    def construct(self):
        if os.fork() == 0:
            os.setsid()
            subprocess.Popen(["sleep", "{seconds}"], start_new_session=True)
            os._exit(0)
        os.wait()
        self.play(Create(Circle()))
        while True: pass
"""


def running(word: str) -> list[int]:
    """Return the processes that have ``word`` as an argument and have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (path / "cmdline").read_bytes().split(b"\0"):
                found.append(int(path.name))
        except OSError:
            continue
    return found


@contextmanager
def service(folder: Path, seconds: str) -> Iterator[subprocess.Popen[str]]:
    """Run the small service until its render has started its hidden process and plays."""
    code = RENDER.format(seconds=seconds)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.sandbox.service", str(folder), code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "progress":
                break
        assert running(seconds)
        try:
            yield process
        finally:
            process.kill()


async def warm(ground: Ground | None = None) -> Zygote:
    """Start a warm process, confined as well as this host allows."""
    return await Zygote.start(ground or await examine(owner=OWNER), BOUNDS)


def family(parent: int) -> list[int]:
    """Return the processes below ``parent``, from the outermost: bubblewrap, perhaps another one, the warm process."""
    found = [parent]
    for pid in found:
        with suppress(OSError):
            found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return found[1:]


def warm_process(parent: int) -> int:
    """Return the warm process itself, below ``parent`` and what stands around it."""
    return next(pid for pid in family(parent) if b"--unshare-pid" not in Path(f"/proc/{pid}/cmdline").read_bytes())


def test_killing_the_service_ends_everything(tmp_path: Path) -> None:
    mark = fresh_mark()
    with service(tmp_path, mark) as process:
        below = family(process.pid)
        process.kill()
        until(lambda: not running(mark), "the end of what the render started")
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), "the end of the warm process")


def test_killing_the_warm_process_ends_its_renders(tmp_path: Path) -> None:
    mark = fresh_mark()
    with service(tmp_path, mark) as process:
        os.kill(warm_process(process.pid), signal.SIGKILL)
        until(lambda: not running(mark), "the end of what the render started")


@pytest.mark.parametrize("index", range(5))
def test_whatever_is_killed_around_the_warm_process_nothing_outlives_the_service(index: int, tmp_path: Path) -> None:
    mark = fresh_mark()
    with service(tmp_path, mark) as process:
        below = family(process.pid)
        os.kill(below[min(index, len(below) - 1)], signal.SIGKILL)
        process.kill()
        until(lambda: not running(mark), "the end of what the render started")
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), "the end of the warm process")


def test_a_stopped_warm_process_is_ended_even_when_what_is_around_it_is_gone() -> None:
    async def scenario() -> None:
        zygote = await warm()
        below = [zygote._process.pid, *family(zygote._process.pid)]
        os.kill(warm_process(below[0]), signal.SIGSTOP)
        os.kill(below[0], signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            await zygote.kill()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), "the end of the warm process")

    asyncio.run(scenario())


def test_a_supervisor_starts_another_when_one_dies_and_leaves_none_behind() -> None:
    async def scenario() -> None:
        supervisor = Supervisor(BOUNDS, recycle=100)
        await supervisor.start(await examine(owner=OWNER))
        assert supervisor.state().starting
        first = await supervisor.zygote()
        os.kill(warm_process(first._process.pid), signal.SIGKILL)
        await first.gone.wait()
        with pytest.raises(ZygoteError):
            first.launch(0, 1, 2)
        second = await supervisor.zygote()
        assert second is not first
        assert supervisor.state().restarts == 1
        await supervisor.stop()
        assert second.gone.is_set()
        assert not Path(f"/proc/{second._process.pid}").exists()
        with pytest.raises(ZygoteError):
            await supervisor.zygote()

    asyncio.run(scenario())


def test_one_that_is_killed_while_it_starts_is_no_reason_to_refuse_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a warm process waits for the next one, until several in a row have not come up."""
    real, starts = Zygote.start, 0
    fails_until = 1 + supervisor_module.TRIES  # the first one lives; of those after it so many less one are killed

    async def start(*args: Any, **options: Any) -> Zygote:
        nonlocal starts
        starts += 1
        if 1 < starts < fails_until:
            raise ZygoteError("the warm process ended while it started")
        return await real(*args, **options)

    monkeypatch.setattr(Zygote, "start", start)
    monkeypatch.setattr(supervisor_module, "FIRST_PAUSE", 0.01)

    async def scenario() -> None:
        nonlocal fails_until
        supervisor = Supervisor(BOUNDS, recycle=100)
        await supervisor.start(await examine(owner=OWNER))
        first = await supervisor.zygote()
        os.kill(warm_process(first._process.pid), signal.SIGKILL)
        await first.gone.wait()
        second = await supervisor.zygote()
        assert starts == fails_until
        fails_until = starts + 1 + supervisor_module.TRIES  # one more of them
        os.kill(warm_process(second._process.pid), signal.SIGKILL)
        await second.gone.wait()
        with pytest.raises(ZygoteError, match="ended while it started"):
            await supervisor.zygote()
        await supervisor.stop()

    asyncio.run(scenario())


def test_a_warm_process_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "manim"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('cairo is missing')")
    tmp_path.chmod(0o755)
    changed = environment() | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    monkeypatch.setattr("manimcast.sandbox.host.zygote.environment", lambda _visible: changed)

    async def scenario() -> None:
        with pytest.raises(ZygoteError, match="cairo is missing"):
            await warm(await examine(owner=OWNER, readable=[tmp_path]))

    asyncio.run(scenario())


def test_a_warm_process_has_nothing_of_the_services_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_SECRET_ACCESS_KEY", "hunter2")

    async def scenario() -> None:
        zygote = await warm()
        for pid in [zygote._process.pid, *family(zygote._process.pid)]:
            try:
                found = Path(f"/proc/{pid}/environ").read_bytes()
            except PermissionError:  # the warm process keeps its memory to itself
                assert os.geteuid() != 0
                continue
            assert b"hunter2" not in found
            assert b"PYTHONHASHSEED=0" in found
        await zygote.kill()

    asyncio.run(scenario())


def test_a_warm_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        zygote = await warm()
        zygote._unanswered = 3
        zygote._order(control.Ping())
        async with asyncio.timeout(PATIENCE):
            await eventually(lambda: not zygote._unanswered, "an answer, which keeps it alive")
            assert not zygote.gone.is_set()
            os.kill(warm_process(zygote._process.pid), signal.SIGSTOP)
            monkeypatch.setattr("manimcast.sandbox.host.zygote.PING_SECONDS", 0.01)
            zygote._tasks.append(asyncio.create_task(zygote._check()))  # one more, in a hurry
            await zygote.gone.wait()
        await zygote.kill()

    asyncio.run(scenario())


def test_where_the_service_is_root_the_warm_process_is_not() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")

    async def scenario() -> None:
        zygote = await warm()
        status = Path(f"/proc/{warm_process(zygote._process.pid)}/status").read_text()
        for name in ("Uid", "Gid"):
            assert "\t".join([f"{name}:", *[f"{OWNER[0]}"] * 4]) in status
        assert "Groups:\t \n" in status
        assert "CapEff:\t0000000000000000" in status
        assert {Layer.other_user, Layer.not_root} <= zygote.layers
        await zygote.kill()

    asyncio.run(scenario())
