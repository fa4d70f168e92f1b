"""Who dies with whom: the service, the warm process, the render, and what the render started."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from manimcast.sandbox.host.supervisor import Supervisor
from manimcast.sandbox.host.zygote import Zygote, ZygoteError, ZygoteLimits

ROOT = Path(__file__).parents[2]
LIMITS = ZygoteLimits(memory=1 << 30, file_bytes=1 << 28, cpu_seconds=100, processes=32, all_processes=100)
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


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


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


def warm_process(parent: int) -> int:
    """Return the warm process that ``parent`` started."""
    (pid,) = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return pid


def test_killing_the_service_ends_everything(tmp_path: Path) -> None:
    with service(tmp_path, "76501") as process:
        zygote = warm_process(process.pid)
        process.kill()
        until(lambda: not running("76501"), "the end of what the render started")
        until(lambda: not Path(f"/proc/{zygote}").exists(), "the end of the warm process")


def test_killing_the_warm_process_ends_its_renders(tmp_path: Path) -> None:
    with service(tmp_path, "76502") as process:
        os.kill(warm_process(process.pid), signal.SIGKILL)
        until(lambda: not running("76502"), "the end of what the render started")


def test_a_supervisor_starts_another_when_one_dies_and_leaves_none_behind() -> None:
    async def scenario() -> None:
        supervisor = Supervisor(LIMITS, recycle=100)
        await supervisor.start()
        assert supervisor.state().starting
        first = await supervisor.zygote()
        pid = first._process.pid
        os.kill(pid, signal.SIGKILL)
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


def test_a_warm_process_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "manim"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('cairo is missing')")
    original = "manimcast.sandbox.host.zygote._environment"
    from manimcast.sandbox.host.zygote import _environment  # noqa: PLC0415

    environment = _environment() | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    monkeypatch.setattr(original, lambda: environment)

    async def scenario() -> None:
        with pytest.raises(ZygoteError, match="cairo is missing"):
            await Zygote.start(LIMITS)

    asyncio.run(scenario())


def test_a_warm_process_has_nothing_of_the_services_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_SECRET_ACCESS_KEY", "hunter2")

    async def scenario() -> None:
        zygote = await Zygote.start(LIMITS)
        environment = Path(f"/proc/{zygote._process.pid}/environ").read_bytes()
        assert b"hunter2" not in environment
        assert b"PYTHONHASHSEED=0" in environment
        await zygote.kill()

    asyncio.run(scenario())


def test_a_warm_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        zygote = await Zygote.start(LIMITS)
        monkeypatch.setattr("manimcast.sandbox.host.zygote.PING_SECONDS", 0.01)
        zygote._tasks.append(asyncio.create_task(zygote._check()))  # one more, in a hurry
        async with asyncio.timeout(60):
            while zygote._unanswered:  # noqa: ASYNC110  answers keep it alive
                await asyncio.sleep(0.01)
            assert not zygote.gone.is_set()
            os.kill(zygote._process.pid, signal.SIGSTOP)
            await zygote.gone.wait()
        await zygote.kill()

    asyncio.run(scenario())


def test_the_warm_process_can_be_another_user() -> None:
    if os.geteuid() != 0 or not _enters("nobody"):
        pytest.skip("needs root, and a Python that another user can read")

    async def scenario() -> None:
        zygote = await Zygote.start(LIMITS, user="nobody")
        status = Path(f"/proc/{zygote._process.pid}/status").read_text()
        owner = pwd.getpwnam("nobody")
        assert zygote.owner == (owner.pw_uid, owner.pw_gid)
        assert f"Uid:\t{owner.pw_uid}\t{owner.pw_uid}\t{owner.pw_uid}" in status
        assert f"Gid:\t{owner.pw_gid}\t{owner.pw_gid}\t{owner.pw_gid}" in status
        assert "Groups:\t \n" in status
        assert "other_user" in zygote.layers
        await zygote.kill()

    asyncio.run(scenario())


def test_a_user_that_does_not_exist_is_told() -> None:
    async def scenario() -> None:
        with pytest.raises(ZygoteError, match="no user nobody-of-that-name"):
            await Zygote.start(LIMITS, user="nobody-of-that-name")

    asyncio.run(scenario())


def _enters(user: str) -> bool:
    """Whether ``user`` can run this Python and import from it."""
    command = [sys.executable, "-c", "import manim.constants, manimcast"]
    environment = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        command, cwd="/", env=environment, user=user, group="nogroup", capture_output=True, check=False
    )
    return done.returncode == 0
