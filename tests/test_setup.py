"""The locks and the script that installs from them: what they promise to somebody with a bare machine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
GROUPS = PYPROJECT["dependency-groups"]
WANTED = {
    "requirements.txt": PROJECT["dependencies"] + EXTRAS["server"] + EXTRAS["modal"],
    "requirements-local.txt": PROJECT["dependencies"] + EXTRAS["local"],
    "requirements-scenes.txt": GROUPS["scenes"],
    "requirements-build.txt": GROUPS["build"],
    "requirements-dev.txt": GROUPS["dev"],
}
COMMITTED_BY_HAND = ["dev", ".ci/run", "pyproject.toml", *WANTED]


@cache
def pins(lock: str) -> dict[str, list[tuple[Requirement, int]]]:
    """Return for each package of a lock its pins (one for each marker) with the number of their hashes."""
    found: dict[str, list[tuple[Requirement, int]]] = {}
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            pin, *hashes = re.split(r"\s+--hash=sha256:", line.strip())
            requirement = Requirement(pin)
            found.setdefault(canonicalize_name(requirement.name), []).append((requirement, len(hashes)))
    return found


def version(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version


@pytest.mark.parametrize("lock", WANTED)
def test_a_lock_holds_everything_that_pyproject_asks_for(lock: str) -> None:
    for text in WANTED[lock]:
        wanted = Requirement(text)
        got = pins(lock).get(canonicalize_name(wanted.name), [])
        assert got, f"{wanted.name} is not in {lock}: run ./dev lock"
        for pin, _ in got:
            assert wanted.specifier.contains(version(pin)), f"{pin} in {lock} is not {wanted}: run ./dev lock"


@pytest.mark.parametrize("lock", WANTED)
def test_every_pin_of_a_lock_has_hashes(lock: str) -> None:
    assert pins(lock)
    for versions in pins(lock).values():
        for pin, hashes in versions:
            assert version(pin)
            assert hashes, f"{pin} in {lock} has no hash"


def test_the_locks_agree_so_that_they_can_be_installed_together() -> None:
    seen: dict[str, set[str]] = {}
    for lock in WANTED:
        for name, versions in pins(lock).items():
            these = {str(version(pin)) for pin, _ in versions}
            assert seen.setdefault(name, these) == these, f"{lock} has another {name} than the locks before it"


@pytest.mark.parametrize("file", COMMITTED_BY_HAND)
def test_no_file_names_the_address_of_a_registry(file: str) -> None:
    text = (ROOT / file).read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


def test_nothing_of_the_plain_requirements_needs_manim_or_a_compiler() -> None:
    # These have no wheels for Linux; the last two are what only scenes and their drawing need.
    assert not {"manim", "pycairo", "manimpango", "srt", "numpy", "av"} & set(pins("requirements.txt"))


def test_manim_physics_is_locked_without_the_manim_that_it_asks_for() -> None:
    scenes = pins("requirements-scenes.txt")
    assert "manim" not in scenes
    assert version(scenes["manim-physics"][0][0]) == "0.4.0"
    assert version(scenes["pymunk"][0][0]).split(".")[0] == "6"


@pytest.mark.parametrize("script", ["dev", ".ci/run"])
def test_the_scripts_are_executable_and_parse_as_posix_sh(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    assert path.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(path)], check=True)


def test_dev_help_names_every_verb() -> None:
    run = subprocess.run([str(ROOT / "dev"), "help"], check=True, capture_output=True, text=True)
    verbs = re.findall(r"^([a-z]+)\)$", (ROOT / "dev").read_text(), flags=re.MULTILINE)
    assert len(verbs) >= 6
    for verb in verbs:
        assert re.search(rf"^  {verb}\b", run.stdout, flags=re.MULTILINE), f"help does not name {verb}"


def test_dev_refuses_an_unknown_verb() -> None:
    run = subprocess.run([str(ROOT / "dev"), "fly"], check=False, capture_output=True, text=True)
    assert run.returncode == 2
    assert "usage:" in run.stderr


def test_dev_setup_refuses_what_it_does_not_know_before_it_installs_anything() -> None:
    run = subprocess.run([str(ROOT / "dev"), "setup", "gold"], check=False, capture_output=True, text=True)
    assert run.returncode == 1
    assert "gold" in run.stderr
    assert run.stdout == ""


def test_the_page_on_set_up_lists_every_system_package() -> None:
    script = (ROOT / "dev").read_text()
    page = (ROOT / "docs" / "internals" / "setup.md").read_text()
    sets = re.findall(r'^packages_\w+="([^"]+)"', script, flags=re.MULTILINE)
    packages = " ".join(sets).split()
    assert len(packages) >= 10
    assert [name for name in packages if f"`{name}`" not in page] == []
