"""What is in the image of the containers, as far as can be told without building it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from manimcast.executors.modal import image
from manimcast.settings import Settings
from tests.modal_plane.running import ROOT

SYSTEM = {"python3", "python3-venv", "python3-dev", "fonts-dejavu-core"}
"""What ``./dev`` installs and the image has otherwise: Python is Modal's, fonts-dejavu brings the core."""


def dev_packages() -> set[str]:
    """Return the packages that ``./dev`` installs with apt-get, LaTeX and OpenGL included."""
    lists = dict(re.findall(r'^packages_(\w+)="([^"]+)"', (ROOT / "dev").read_text(), re.MULTILINE))
    assert len(lists) >= 3
    for of_tests in ("players", "databases"):  # what the tests try videos in, or start
        del lists[of_tests]
    return {name for names in lists.values() for name in names.split()}


def test_everything_that_is_installed_here_is_installed_there() -> None:
    there = {*image.BUILD, *image.RUN, *image.LATEX, *image.FONTS}
    assert dev_packages() - there - SYSTEM == set()
    assert "fonts-dejavu" in there


def test_what_the_origin_had() -> None:
    names = {*image.BUILD, *image.RUN, *image.LATEX, *image.FONTS}
    assert {"ffmpeg", "git", "curl", "pkg-config", "libegl1", "libcairo2-dev", "libpango1.0-dev"} <= names
    assert {"fonts-noto-cjk", "texlive-lang-chinese", "texlive-lang-japanese", "texlive-xetex"} <= names


def test_the_environment_holds_settings_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "MODAL_TOKEN_ID": "ak-secret", "MODAL_TOKEN_SECRET": "as-secret", "API_KEYS": "me:key-secret",
        "S3_ACCESS_KEY_ID": "s3-secret", "S3_SECRET_ACCESS_KEY": "s3-secret-too", "SIGNING_KEY": "x" * 40 + "secret",
        "DATABASE_URL": "postgresql://user:db-secret@localhost/db",
    }  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    environment = image.environment(Settings(_env_file=None, modal_memory=4096, modal_timeout=300))
    assert "secret" not in str(environment)
    known = {name.upper() for name in Settings.model_fields} | {"PYTHONPATH", "MANIMCAST_SCENE_USER"}
    assert set(environment) <= known
    assert (environment["RENDER_MEMORY"], environment["RENDER_TIMEOUT"]) == ("3328", "285")
    assert environment["MANIMCAST_SCENE_USER"] == image.USER


@pytest.mark.parametrize(("memory", "timeout"), [(1024, 30), (65536, 86400)])
def test_the_environment_is_one_that_settings_accept(
    memory: int, timeout: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = image.environment(Settings(_env_file=None, modal_memory=memory, modal_timeout=timeout))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    inside = Settings(_env_file=None)
    assert inside.use_modal is False
    assert inside.slots == 1
    assert 256 <= inside.render_memory < memory
    assert 0 < inside.render_timeout < timeout


def test_locks_are_those_of_the_checkout() -> None:
    for name in image.LOCKS:
        assert image.lock(name) == ROOT / name
        assert "--hash=sha256:" in image.lock(name).read_text()


def test_locks_of_an_installed_package(tmp_path: Path) -> None:
    """A package without a checkout around it brings its locks along; here, one that was copied elsewhere."""
    shutil.copytree(ROOT / "manimcast", tmp_path / "manimcast", ignore=shutil.ignore_patterns("__pycache__"))
    code = "from manimcast.executors.modal import image; print(image.lock('requirements-local.txt'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    there = tmp_path / "manimcast/executors/modal/locks/requirements-local.txt"
    assert done.stdout.strip() == str(there)
    wheel = (ROOT / "pyproject.toml").read_text()
    for name in image.LOCKS:
        assert f'"{name}" = "manimcast/executors/modal/locks/{name}"' in wheel
