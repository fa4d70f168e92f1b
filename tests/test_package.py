"""What a wheel of this project contains: enough to serve, to render, and to deploy to Modal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from manimcast.executors.modal import image

ROOT = Path(__file__).parents[1]


def test_a_wheel_has_every_module_and_the_locks_of_the_image(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    done = subprocess.run([*build, "--wheel-dir", tmp_path, ROOT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("manimcast-*.whl")
    inside = zipfile.ZipFile(wheel)
    names = set(inside.namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "manimcast").rglob("*.py")}
    assert modules <= names
    for lock in image.LOCKS:
        packed = inside.read(f"manimcast/executors/modal/locks/{lock}")
        assert packed == (ROOT / lock).read_bytes()
    inside.close()


def test_the_locks_are_found_in_a_checkout_and_in_an_installed_package(tmp_path: Path) -> None:
    assert [image.lock(name) for name in image.LOCKS] == [ROOT / name for name in image.LOCKS]
    package = tmp_path / "manimcast"
    locks = package / "executors/modal/locks"
    locks.mkdir(parents=True)
    (package / "__init__.py").touch()
    script = (
        "import pathlib, manimcast; from manimcast.executors.modal import image;"
        f"manimcast.__file__ = {str(package / '__init__.py')!r}; image.__file__ = {str(locks.parent / 'image.py')!r};"
        "print(image.lock(image.LOCKS[0]))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.strip() == str(locks / image.LOCKS[0])


def test_what_the_image_copies_suffices_to_prepare_tex(tmp_path: Path) -> None:
    package = tmp_path / "manimcast"
    for name in image.PREPARE:
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "manimcast" / name, package / name)
    command = [sys.executable, "-P", "-m", "manimcast.engine.prepare", tmp_path / "tex", "no-such-group"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    # It has got as far as knowing which groups there are, so nothing was missing.
    assert "There is no group no-such-group. Groups: digits" in told.stderr, told.stderr
