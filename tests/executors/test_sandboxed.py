"""Scenes in the sandbox: they draw the same as without it, have what they need, and are not rendered below the tier."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from manimcast.executors.base import ExecutorError
from manimcast.sandbox.layers import FULL, Layer
from manimcast.spec import ErrorCode
from tests.executors.rig import RING, Rig, scene
from tests.sandbox.hosts import without_bubblewrap

__all__ = ["without_bubblewrap"]

SCENES = {
    "shapes and text": scene("self.play(Create(Circle()), Write(Text('Grüße, 你好')), run_time=0.3)"),
    "formula": scene(r"self.play(Write(MathTex(r'\int_0^1 x^2\,dx')), run_time=0.3)"),
    "solid": scene(
        "self.set_camera_orientation(phi=1)\nself.add(Sphere(resolution=(6, 6)))\nself.wait(0.2)", base="ThreeDScene"
    ),
    "picture": scene("self.add(ImageMobject(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)))\nself.wait(0.2)"),
    "typst": scene("self.play(Write(Typst('$ sum_(i=0)^n i $')), run_time=0.3)"),
    "chance": scene(
        "self.add(*[Dot(np.random.rand(3) * random.random()) for _ in range(9)])\nself.wait(0.2)", head="import random"
    ),
}


@pytest.fixture(scope="module")
def unconfined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("unconfined"), sandbox="off")
    yield rig
    rig.close()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_drawn_the_same_in_the_sandbox_and_without(rig: Rig, unconfined: Rig, name: str) -> None:
    confined, bare = rig.render(SCENES[name]), unconfined.render(SCENES[name])
    assert digest(confined.video) == digest(bare.video)
    assert confined.report.sandbox is not None
    assert confined.report.sandbox.tier == "full"
    assert set(confined.report.sandbox.layers) >= set(FULL)
    assert bare.report.sandbox is not None
    assert bare.report.sandbox.tier == "none"


def test_a_scene_may_share_work_between_processes(rig: Rig) -> None:
    code = scene(
        "lock = multiprocessing.Lock()\n"
        "shared = multiprocessing.Value('i', 0)\n"
        "with multiprocessing.Pool(2) as pool:\n"
        "    print('pool', pool.map(abs, [-1, -2]))\n"
        "with ThreadPoolExecutor() as threads:\n"
        "    print('threads', list(threads.map(abs, [-3])))\n"
        "print('program', subprocess.run(['echo', 'said'], capture_output=True, text=True).stdout)\n"
        f"{RING}",
        head="import multiprocessing, subprocess\nfrom concurrent.futures import ThreadPoolExecutor",
    )
    outcome = rig.render(code)
    assert outcome.report.frames == 3
    assert "pool [1, 2]" in outcome.printed
    assert "threads [3]" in outcome.printed
    assert "program said" in outcome.printed


def test_a_scene_finds_places_to_write(rig: Rig) -> None:
    body = (
        "for place in ('here.txt', '/tmp/there.txt', '/dev/shm/shared', os.path.expanduser('~/home.txt')):\n"
        "    open(place, 'w').write('x')\n"
        "tempfile.TemporaryFile().write(b'x')\n"
        f"{RING}"
    )
    assert rig.render(scene(body, head="import os, tempfile")).report.frames == 3


def test_what_it_may_write_is_limited(tmp_path: Path) -> None:
    rig = Rig(tmp_path, render_disk=64)
    try:
        body = "for n in range(9):\n    open(f'/tmp/{n}', 'wb').write(bytes(10 << 20))"
        error = rig.render(scene(body)).error
        assert error.code is ErrorCode.output_too_large
        assert "no room left for the scene's files" in error.message
        assert error.line is not None
    finally:
        rig.close()


def test_below_the_full_tier_nothing_is_rendered(without_bubblewrap: Path, tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    try:
        status = rig.executor.status()
        assert (status.available, status.lasting) == (False, True)
        assert "SANDBOX=strict" in str(status.reason)
        assert "apt-get install bubblewrap" in str(status.reason)
        assert [lack["layer"] for lack in status.details["sandbox"]["missing"]] == ["bubblewrap"]  # type: ignore[index]
        with pytest.raises(ExecutorError, match="apt-get install bubblewrap") as refused:
            rig.render(scene(RING))
        assert not refused.value.again
    finally:
        rig.close()


def test_a_weaker_tier_is_an_explicit_choice_and_draws_the_same(
    rig: Rig, without_bubblewrap: Path, tmp_path: Path
) -> None:
    weak = Rig(tmp_path, sandbox="weak")
    try:
        outcome = weak.render(scene(RING))
        assert digest(outcome.video) == digest(rig.render(scene(RING)).video)
        assert outcome.report.sandbox is not None
        assert outcome.report.sandbox.tier == "weak"
        assert Layer.bubblewrap not in outcome.report.sandbox.layers
        assert Layer.seccomp in outcome.report.sandbox.layers
    finally:
        weak.close()
