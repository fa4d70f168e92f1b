"""Where tokens come from, which of them wins, and that nobody imports Modal to find out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from manimcast.executors.modal.tokens import CONFIGURED, MISSING, ProfileError, find, tokens_configured, told, wanted
from manimcast.settings import Settings, SettingsError, load

PROFILE = """
[work]
token_id = "ak-work"
token_secret = "as-work"
"""
OTHERS = """
[empty]

[half]
token_id = "ak-half"

[active]
active = true
token_id = "ak-active"
token_secret = "as-active"

[oauth]
oauth_refresh_token = "refresh"
oauth_client_id = "client"
oauth_client_secret = "secret"
"""


@pytest.fixture(autouse=True)
def _no_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET", "MODAL_PROFILE", "USE_MODAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODAL_CONFIG_PATH", str(tmp_path / "modal.toml"))
    monkeypatch.chdir(tmp_path)


def write(text: str) -> None:
    Path(os.environ["MODAL_CONFIG_PATH"]).write_text(text, encoding="utf-8")


def test_none() -> None:
    settings = load()
    assert not tokens_configured(settings)
    assert not wanted(settings)
    assert told(settings) == MISSING
    assert MISSING.startswith("❌ Missing - ")
    assert "modal setup" in MISSING


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODAL_TOKEN_ID", "ak-1")
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-1")
    settings = load()
    assert tokens_configured(settings)
    assert wanted(settings)
    assert told(settings) == CONFIGURED == "✅ Configured"


def test_from_dotenv_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("MODAL_TOKEN_ID=ak-file\nMODAL_TOKEN_SECRET=as-file\n")
    settings = load()
    assert tokens_configured(settings)
    assert settings.modal_token_id == "ak-file"
    monkeypatch.setenv("MODAL_TOKEN_ID", "ak-environment")
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-environment")
    settings = load()
    assert settings.modal_token_id == "ak-environment"
    assert settings.modal_token_secret is not None
    assert settings.modal_token_secret.get_secret_value() == "as-environment"


def test_half_a_token_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODAL_TOKEN_ID", "ak-1")
    with pytest.raises(SettingsError, match="belong together"):
        load()


@pytest.mark.parametrize(
    ("profile", "configured"),
    [("", True), ("active", True), ("oauth", True), ("empty", False), ("half", False), ("unknown", False)],
)
def test_profiles(profile: str, configured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """``MODAL_PROFILE`` names one; else the one marked as active."""
    write(OTHERS)
    monkeypatch.setenv("MODAL_PROFILE", profile)
    assert tokens_configured(load()) is configured


def test_default_profile() -> None:
    write(PROFILE)
    assert not tokens_configured(load())
    write(PROFILE.replace("work", "default"))
    assert tokens_configured(load())


@pytest.mark.parametrize(
    "content", [b"default = 1", b"[default]\ntoken_id = ''\ntoken_secret = ''\n", b"[default]\ntoken_id = 1\n", b""]
)
def test_a_file_without_a_token(content: bytes) -> None:
    Path(os.environ["MODAL_CONFIG_PATH"]).write_bytes(content)
    assert not tokens_configured(load())
    assert told(load()) == MISSING


@pytest.mark.parametrize("content", [b"[default", b"\xff\xfe\x00"])
def test_a_broken_file(content: bytes) -> None:
    """It does not keep the service from starting, and health names it."""
    path = Path(os.environ["MODAL_CONFIG_PATH"])
    path.write_bytes(content)
    with pytest.raises(ProfileError, match=r"modal\.toml cannot be read"):
        tokens_configured(load())
    assert not wanted(load())
    assert told(load()).startswith(f"❌ Missing - {path} cannot be read: ")


@pytest.mark.parametrize("path", ["/", "/dev/null/modal.toml"])
def test_a_path_that_is_no_file(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODAL_CONFIG_PATH", path)
    with pytest.raises(ProfileError, match=r"cannot be read: (Is|Not) a directory"):
        tokens_configured(load())
    assert not wanted(load())


def test_a_path_with_nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODAL_CONFIG_PATH", "~nobody-of-this-name/modal.toml")
    assert not tokens_configured(load())


def test_the_token_of_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    write(OTHERS)
    assert find(load()) == ("ak-active", "as-active")
    monkeypatch.setenv("MODAL_PROFILE", "oauth")
    assert find(load()) is None
    monkeypatch.setenv("MODAL_TOKEN_ID", "ak-1")
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-1")
    assert find(load()) == ("ak-1", "as-1")


def test_nobody_is_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODAL_CONFIG_PATH")
    monkeypatch.setenv("HOME", "~")  # what remains of ~ for a user that has no home
    assert not tokens_configured(load())


def test_the_usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODAL_CONFIG_PATH")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not tokens_configured(load())
    (tmp_path / ".modal.toml").write_text(PROFILE.replace("work", "default"))
    assert tokens_configured(load())


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("use", [None, False, True])
def test_wanted(use: bool | None, tokens: bool) -> None:
    """What ``USE_MODAL`` says counts; when it says nothing, whether there are tokens."""
    if tokens:
        write(PROFILE.replace("work", "default"))
    assert wanted(Settings(_env_file=None, use_modal=use)) is (tokens if use is None else use)


def test_nothing_of_modal_is_imported() -> None:
    """Neither to find tokens out nor with the executor's module, of which a service without Modal needs nothing."""
    write(PROFILE.replace("work", "default"))
    code = (
        "import sys\n"
        "from manimcast.executors.configured import *\n"
        "from manimcast.executors.modal import breaker, connection, executor, faults, receive, remote, tokens\n"
        "from manimcast.settings import load\n"
        "assert tokens.tokens_configured(load())\n"
        "executor.ModalExecutor(load()).status()\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in {'modal', 'modal_proto', 'grpclib'}]\n"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(root)})
