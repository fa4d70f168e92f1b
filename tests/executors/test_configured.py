"""Which executors a service has, and what it imports for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, sys
from manimcast.executors.configured import from_settings
from manimcast.settings import load
names = [executor.name for executor in from_settings(load())]
modal = sorted(name for name in sys.modules if name.partition(".")[0] == "modal" or name.endswith(".modal.executor"))
print(json.dumps([names, modal]))
"""


def configured(folder: Path, **variables: str) -> tuple[list[str], list[str]]:
    """Return the executors of a fresh process with these settings, and the modules of Modal that it has imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MODAL_", "USE_MODAL"))}
    environment |= {"MODAL_CONFIG_PATH": str(folder / "no-profile.toml"), "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])} | variables,
        stdout=subprocess.PIPE,
        check=True,
    )
    names, modules = json.loads(done.stdout)
    return names, modules


TOKENS = {"MODAL_TOKEN_ID": "ak-1", "MODAL_TOKEN_SECRET": "as-1"}


@pytest.mark.parametrize("tokens", [{}, TOKENS])
def test_without_modal_nothing_of_it_is_imported(tmp_path: Path, tokens: dict[str, str]) -> None:
    assert configured(tmp_path, USE_MODAL="false", **tokens) == (["local"], [])


def test_without_tokens_modal_is_not_wanted(tmp_path: Path) -> None:
    assert configured(tmp_path) == (["local"], [])


@pytest.mark.parametrize("variables", [TOKENS, {"USE_MODAL": "true"}, {"USE_MODAL": "true", **TOKENS}])
def test_modal_comes_first_when_it_is_wanted(tmp_path: Path, variables: dict[str, str]) -> None:
    names, modules = configured(tmp_path, **variables)
    assert names == ["modal", "local"]
    assert "manimcast.executors.modal.executor" in modules
