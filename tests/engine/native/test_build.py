"""The native part is compiled when it has to be, is in the wheel, and is missed with a notice and no other pictures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from manimcast.engine.native import build

ROOT = Path(__file__).parents[3]
DRAW = """
import json, hashlib, tempfile
from manimcast.engine import native
from manimcast.engine.patches import every
every.install()
from manim import *
with tempconfig({"media_dir": tempfile.mkdtemp(), "dry_run": True, "pixel_width": 160, "pixel_height": 90}):
    scene = ThreeDScene()
    scene.set_camera_orientation(phi=1, theta=1)
    scene.add(Cube(fill_opacity=0.7), Circle(color=[RED, BLUE]))
    scene.render()
    pixels = hashlib.sha256(scene.renderer.get_frame().tobytes()).hexdigest()
print(json.dumps({"pixels": pixels, "there": native.library is not None, "version": native.version,
                  "complaint": native.complaint}))
"""


def _draw(folder: Path, root: Path = ROOT, **environment: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DRAW],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_without_it_the_pictures_are_the_same(tmp_path: Path) -> None:
    assert build.is_current(build.target()), "run ./dev setup: the native part is not compiled"
    package = tmp_path / "elsewhere" / "manimcast"
    shutil.copytree(ROOT / "manimcast", package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    native = _draw(tmp_path)
    off = _draw(tmp_path, MANIMCAST_NATIVE="off")
    missing = _draw(tmp_path, package.parent)
    assert (native["there"], off["there"], missing["there"]) == (True, False, False)
    assert native["pixels"] == off["pixels"] == missing["pixels"]
    assert (off["version"], missing["version"]) == ("off", "none")
    assert native["complaint"] is None
    assert off["complaint"] is None
    assert "draws in Python" in str(missing["complaint"])


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    copied = tmp_path / "native"
    shutil.copytree(ROOT / "manimcast/engine/native", copied, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return copied


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "build.py"), *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, cwd=folder
    )


def test_it_is_compiled_once_and_again_when_a_source_has_changed(elsewhere: Path) -> None:
    assert _run(elsewhere, "--check").returncode == 1
    assert "compiled" in _run(elsewhere).stdout
    assert _run(elsewhere, "--check").returncode == 0
    assert _run(elsewhere).stdout == ""
    with (elsewhere / "draw.c").open("a") as source:
        source.write("\n/* changed */\n")
    assert _run(elsewhere, "--check").returncode == 1


def test_a_failure_says_what_the_compiler_said_and_what_helps(elsewhere: Path) -> None:
    (elsewhere / "draw.c").write_text("#error it does not compile\n")
    failed = _run(elsewhere)
    assert failed.returncode == 1
    assert "it does not compile" in failed.stderr
    assert "gcc libc6-dev python3-dev" in failed.stderr
    assert _run(elsewhere, "--if-possible").returncode == 0
    without = _run(elsewhere, CC="/nonexistent/cc")
    assert without.returncode == 1
    assert "drawn in Python" in without.stderr
    assert not list(elsewhere.glob("*.so*"))


def _wheel(folder: Path, **environment: str) -> tuple[str, set[str]]:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as inside:
        return wheel.name, set(inside.namelist())


def test_the_wheel_has_it_and_says_for_which_platform_it_is(tmp_path: Path) -> None:
    name, inside = _wheel(tmp_path)
    assert f"manimcast/engine/native/{build.target().name}" in inside
    interpreter = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    tag = f"{interpreter}-{interpreter}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    assert name.endswith(f"-{tag}.whl")


def test_without_a_compiler_the_wheel_is_one_of_pure_python(tmp_path: Path) -> None:
    name, inside = _wheel(tmp_path, CC="/nonexistent/cc")
    assert name.endswith("-py3-none-any.whl")
    assert "manimcast/engine/native/draw.c" in inside
    assert not any(path.endswith(".so") for path in inside)
