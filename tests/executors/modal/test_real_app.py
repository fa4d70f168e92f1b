"""The executor and the deployed app as they are, on the control plane: containers with a warm process, real scenes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal import image
from manimcast.executors.modal.executor import ModalExecutor
from manimcast.settings import Settings
from manimcast.spec import ErrorCode, OutputRole, RenderSpec
from manimcast.wire import Message
from tests.executors.modal.deployed import STREAM, app, busy, family, started
from tests.executors.rig import RING, SMALL, scene
from tests.modal_plane import faults
from tests.modal_plane.running import RunningPlane, alive
from tests.patience import PATIENCE, eventually

__all__ = ["app"]

ENDLESS = f"{RING}\nprint('looping', flush=True)\nwhile True: pass"


def rendering(executor: ModalExecutor, into: Path, body: str, **spec: Any) -> AsyncGenerator[Message, None]:
    into.mkdir()
    wanted = RenderSpec(code=scene(body), **(SMALL | spec))
    return executor.render(wanted, render_id=into.name, into=into, timeout=PATIENCE)


async def heard(stream: AsyncGenerator[Message, None]) -> list[Message]:
    async with contextlib.aclosing(stream):
        return [message async for message in stream]


async def looping(stream: AsyncGenerator[Message, None]) -> list[Message]:
    """Listen until the scene has begun its endless loop, and has told all that came before.

    What it prints comes by another way than its progress, and may be there first.
    """
    messages: list[Message] = []
    awaited = {"looping", "100 %"}
    async for message in stream:
        messages.append(message)
        if isinstance(message, wire.Logged):
            awaited.discard(message.text)
        if isinstance(message, wire.Progressed):
            awaited.discard(f"{message.progress.animation_percent} %")
        if not awaited:
            return messages
    raise AssertionError("the scene did not begin to loop")


def test_a_render(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def render() -> list[Message]:
        async with started(modal_plane) as executor:
            body = f"print('hello')\n{RING}\nself.next_section('b')\n{RING}"
            messages = await heard(rendering(executor, tmp_path / "r-1", body, save_sections=True, seed=11))
            status = executor.status()
            assert status.available
            assert status.details["modal_health"]["manim_version"] == "0.22.0"
            return messages

    messages = asyncio.run(render())
    types = [message.type for message in messages]
    assert types.index("hello") < types.index("started") < types.index("playing")
    assert "log" in types  # what is printed comes by another way, so sooner or later
    finished = messages[-1]
    assert isinstance(finished, wire.Finished)
    report = finished.report
    assert (report.seed, report.animations, report.frames, report.media_type) == (11, 2, 6, "video/mp4")
    assert report.fingerprint["manim"] == "0.22.0"
    assert report.compute_seconds
    assert [section.name for section in report.sections] == ["autocreated", "b"]
    files = {file.name: file.bytes for file in report.files}
    assert {path.name: path.stat().st_size for path in (tmp_path / "r-1").iterdir()} == files
    assert {file.role for file in report.files} == {OutputRole.video, OutputRole.poster, OutputRole.section}
    for message in messages:
        if isinstance(message, wire.Progressed):
            assert message.progress.frames_done <= 6
    call = [call for call in modal_plane.report().calls if call.function == STREAM][-1]
    assert "cbor" in call.formats
    assert set(call.formats) <= {"cbor", "generator_done"}  # the latter may still be on its way
    assert not call.canceled


def test_a_scene_that_fails(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def render() -> None:
        async with started(modal_plane) as executor:
            messages = await heard(rendering(executor, tmp_path / "r-1", "undefined"))
            failed = messages[-1]
            assert isinstance(failed, wire.Failed)
            assert (failed.error.exception, failed.error.line) == ("NameError", 4)
            assert executor.status().details["breaker"]["failures"] == 0

    asyncio.run(render())
    assert list((tmp_path / "r-1").iterdir()) == []


def test_several_at_once_each_in_a_container_of_its_own(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def render() -> None:
        async with started(modal_plane) as executor:
            streams = [rendering(executor, tmp_path / f"r-{number}", ENDLESS) for number in (1, 2)]
            await asyncio.gather(*map(looping, streams))
            assert len(set(busy(modal_plane))) == 2
            await asyncio.gather(*(stream.aclose() for stream in streams))
            await eventually(lambda: not busy(modal_plane), "the end of both containers")

    asyncio.run(render())


def test_progress_comes_while_the_container_runs_and_canceling_ends_everything_there(
    modal_plane: RunningPlane, tmp_path: Path
) -> None:
    async def render() -> list[int]:
        async with started(modal_plane) as executor:
            stream = rendering(executor, tmp_path / "r-1", ENDLESS)
            messages = await looping(stream)
            progress = [message.progress for message in messages if isinstance(message, wire.Progressed)]
            assert progress[-1].animation_percent == 100
            (pid,) = busy(modal_plane)
            processes = family(pid)
            assert len(processes) >= 3  # the container's own, the warm one, the render
            assert all(map(alive, processes))
            await stream.aclose()
            await eventually(lambda: not any(map(alive, processes)), "the end of every process of the container")
            assert [call.canceled for call in modal_plane.report().calls if call.function == STREAM][-1]
            assert executor.status().available
            return processes

    assert asyncio.run(render())
    assert list((tmp_path / "r-1").iterdir()) == []


def test_stopping_ends_what_renders(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def render() -> None:
        async with started(modal_plane) as executor:
            stream = rendering(executor, tmp_path / "r-1", ENDLESS)
            await looping(stream)
            processes = family(busy(modal_plane)[0])
            await executor.stop()
            with pytest.raises(ExecutorError):
                await anext(stream)
            await eventually(lambda: not any(map(alive, processes)), "the end of every process of the container")

    asyncio.run(render())


@pytest.mark.parametrize("indices", ["restart", "go_on"])
def test_a_preempted_render_is_worth_another_try(modal_plane: RunningPlane, tmp_path: Path, indices: Any) -> None:
    """Whichever of the items of the second run the client hears, no half of each is taken for one render."""

    async def render() -> None:
        async with started(modal_plane) as executor:
            modal_plane.inject(faults.Preempt(function=STREAM, after=4, indices=indices))
            with pytest.raises(ExecutorError, match="preempted, and the call began again") as caught:
                await heard(rendering(executor, tmp_path / "r-1", RING))
            assert caught.value.again
            messages = await heard(rendering(executor, tmp_path / "r-2", RING))
            assert isinstance(messages[-1], wire.Finished)
            await eventually(lambda: not busy(modal_plane), "the end of the container that went on alone")

    asyncio.run(render())


def test_a_function_timeout_is_the_scenes(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def render() -> None:
        async with started(modal_plane) as executor:
            modal_plane.inject(faults.TimeOut(function=STREAM, after=3))
            messages = await heard(rendering(executor, tmp_path / "r-1", ENDLESS))
            assert isinstance(messages[-1], wire.Failed)
            assert messages[-1].error.code is ErrorCode.timeout

    asyncio.run(render())


def test_the_plain_function_for_anybody(modal_plane: RunningPlane) -> None:
    """With the client as it comes, in another process, from which the package cannot be imported."""
    code = """
import json, sys, modal
render = modal.Function.from_name("manim-renderer-api", "compile_manim_animation")
answer = render.remote(sys.argv[1], quality="low_quality", resolution={"width": 128, "height": 72}, frame_rate=10)
video = answer.pop("video_bytes")
print(json.dumps({"bytes": len(video), "start": video[4:8].decode(), **answer}))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, scene(RING)],
        env=modal_plane.environment | {"HOME": "/"},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["success"] is True
    assert answer["start"] == "ftyp"
    assert answer["progress_updates"][-1] == {"animationIndex": 0, "percentage": 100}
    assert answer["report"]["files"][0]["bytes"] == answer["bytes"]
    call = [call for call in modal_plane.report().calls if call.function == "compile_manim_animation"][-1]
    assert call.formats == ["cbor"]


def test_the_image_as_it_is_deployed(modal_plane: RunningPlane) -> None:
    """One image for all functions; what Python packages there are comes from the locks, with their hashes."""
    functions = [modal_plane.function(name) for name in (STREAM, "compile_manim_animation", "health_check")]
    assert len({function.image for function in functions}) == 1
    for function in functions:
        assert function.secrets == 0
        assert "pickle" not in function.output_formats
        assert function.block_network
        assert function.restrict_modal_access
    commands = modal_plane.image(functions[0]).commands
    assert commands[0].startswith("FROM python:3.11")
    installs = [line for line in commands if "-r /.requirements.txt" in line]
    assert len(installs) == len(image.LOCKS)
    assert all({"--require-hashes", "--no-deps", "--no-build-isolation"} <= set(line.split()) for line in installs)
    (packages,) = [set(line.split()) for line in commands if "libcairo2-dev" in line]
    assert packages >= {*image.BUILD, *image.RUN, *image.LATEX, *image.FONTS}
    variables = dict(line.removeprefix("ENV ").split("=", 1) for line in commands if line.startswith("ENV "))
    assert variables == image.environment(Settings())
    assert f"nologin {image.USER}" in "\n".join(commands)
