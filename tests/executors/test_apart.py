"""Renders know nothing of one another, and the warm process is replaced when it dies or is worn."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.spec import ErrorCode, RenderSpec
from tests.executors.rig import RING, SMALL, Rig, fresh_mark, running, scene, zygotes
from tests.patience import PATIENCE, eventually, until

# The pattern does not match its own text, so whatever it finds was written by someone.
SEARCH = """
import re
found = 0
for line in open("/proc/self/maps"):
    span, rights, *_, = line.split()
    if not rights.startswith("rw") or "[v" in line:
        continue
    start, end = (int(part, 16) for part in span.split("-"))
    with open("/proc/self/mem", "rb", 0) as memory:
        try:
            memory.seek(start)
            found += len(re.findall(rb"LEAK[0-9a-f]{32}", memory.read(end - start)))
        except OSError:
            pass
print("found", found)
"""


def test_nothing_of_one_render_is_in_the_memory_of_the_next(rig: Rig) -> None:
    marker = f"LEAK{uuid.uuid4().hex}"
    own = rig.render(scene(f"kept = '{marker}'\n{SEARCH}\n{RING}"), scene="Demo")
    assert own.printed != ["found 0"]  # the search finds what is there
    assert rig.render(scene(f"{SEARCH}\n{RING}")).printed == ["found 0"]


def test_modules_and_patches_of_one_render_are_gone_in_the_next(rig: Rig) -> None:
    first = (
        "import sys, types, os, builtins, manim\nsys.modules['leaked'] = types.ModuleType('leaked')\n"
        "builtins.leaked = manim.Circle.leaked = 1\nos.environ['LEAKED'] = '1'\nconfig.background_color = RED\n"
        "open('leaked.txt', 'w').close(); open(os.environ['TMPDIR'] + '/leaked.txt', 'w').close()\n"
    )
    rig.render(scene(first + RING)).report  # noqa: B018  it must have succeeded
    second = (
        "import sys, os, builtins\n"
        "print('leaked' in sys.modules, hasattr(builtins, 'leaked'), hasattr(Circle, 'leaked'),\n"
        "    'LEAKED' in os.environ, config.background_color == RED, os.path.exists('leaked.txt'),\n"
        "    os.listdir(os.environ['TMPDIR']))\n"
    )
    assert rig.render(scene(second + RING)).printed == ["False False False False False False []"]


def test_a_render_sees_no_secret_of_the_service(rig: Rig) -> None:
    rig.render(scene(RING))
    # Where a render cannot have a /proc of its own (root in a chroot), only its own environment is looked at.
    processes = "[0-9]*" if "own_proc" in rig.layers else "self"
    body = (
        f"import os, glob\nseen = b''.join(open(p, 'rb').read() for p in glob.glob('/proc/{processes}/environ'))\n"
        "print(sorted(os.environ), b'PYTEST' in seen)\nprint(sum(1 for n in os.listdir('/proc') if n.isdigit()))\n"
        "print(sorted(n for n in map(int, os.listdir('/proc/self/fd')))[:3], os.getpid())\n"
    )
    assert "PYTEST_CURRENT_TEST" in os.environ
    names, pids, _ = rig.render(scene(body + RING)).printed
    assert names.endswith("] False")
    assert not {"PYTEST_CURRENT_TEST", "PYTHONPATH", "USER"} & set(names.split("'"))
    assert pids == "1" or "own_proc" not in rig.layers


def test_two_renders_run_at_once(rig: Rig) -> None:
    async def both() -> None:
        marks = (fresh_mark(), fresh_mark())
        streams = []
        for mark in marks:
            folder = rig.root / f"out-{mark}"
            folder.mkdir()
            body = f"import subprocess\nsubprocess.run(['sleep', '{mark}'])"
            spec = RenderSpec.model_validate({"code": scene(body), **SMALL})
            stream = rig.executor.render(spec, render_id="r", into=folder, timeout=PATIENCE)
            assert isinstance(await anext(stream), wire.Hello)
            streams.append(stream)
        await eventually(lambda: all(running(mark) for mark in marks), "the programs of both")
        await streams[0].aclose()
        assert [bool(running(mark)) for mark in marks] == [False, True]
        await streams[1].aclose()
        assert [bool(running(mark)) for mark in marks] == [False, False]

    rig.run(both())
    outcomes = rig.run(_together(rig, 3))
    assert [outcome.report.frames for outcome in outcomes] == [3, 3, 3]
    assert rig.left_over() == []


async def _together(rig: Rig, count: int) -> list[object]:
    return await asyncio.gather(*(rig.rendering(scene(RING)) for _ in range(count)))


def test_a_warm_process_that_is_killed_fails_its_render_and_is_replaced(rig: Rig) -> None:
    mark = fresh_mark()

    async def kill() -> None:
        spec = RenderSpec.model_validate({"code": scene(f"import subprocess\nsubprocess.run(['sleep', '{mark}'])")})
        folder = rig.root / "out-killed"
        folder.mkdir()
        stream = rig.executor.render(spec, render_id="r", into=folder, timeout=PATIENCE)
        async with aclosing(stream):
            await anext(stream)
            await eventually(lambda: running(mark), "the program that the scene runs")
            (zygote,) = zygotes()
            os.kill(zygote, signal.SIGKILL)
            with pytest.raises(ExecutorError, match="the warm process ended while the render ran"):
                async for _ in stream:
                    pass

    rig.run(kill())
    until(lambda: not running(mark), "the end of what the render started")
    assert rig.render(scene(RING)).report.frames == 3
    assert rig.executor.status().details["restarts"] == 1
    assert rig.left_over() == []


@pytest.fixture
def small_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    others = zygotes()
    rig = Rig(tmp_path_factory.mktemp("small"), recycle_renders=2, max_video_mib=1, render_slots=2)
    yield rig
    rig.close()
    assert set(zygotes()) <= set(others)


def test_a_worn_warm_process_is_replaced_and_a_large_file_refused(small_rig: Rig, rig: Rig) -> None:
    others = set(zygotes())
    noise = (
        "for n in range(30):\n    self.clear()\n"
        "    self.add(ImageMobject(np.random.randint(0, 255, (480, 854, 4), np.uint8)))\n"
        "    self.wait(1 / 15)"
    )
    error = small_rig.render(scene(noise), resolution={"width": 854, "height": 480}, frame_rate=15).error
    assert error.code is ErrorCode.output_too_large
    (first,) = set(zygotes()) - others or {0}
    for _ in range(4):
        assert small_rig.render(scene(RING)).report.frames == 3
    small_rig.run(eventually(lambda: first not in zygotes(), "the end of the worn process"))
    assert small_rig.render(scene(RING)).report.frames == 3
    assert set(zygotes()) - others
    assert small_rig.executor.status().details["restarts"] == 0
