"""Settings: where they come from, and what is said when they cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manimcast.settings import LogFormat, Settings, SettingsError, load


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine that the tests run on, and an empty working directory."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def refusal(**overrides: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**overrides)
    return str(caught.value)


def test_every_default_works() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.log_format) == ("127.0.0.1", 8080, LogFormat.console)


def test_the_environment_wins_over_the_file_and_overrides_win_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=1001\nQUEUE_LIMIT=1002\nRENDER_TIMEOUT=1003\nDATA_DIR=dätä\n", encoding="utf-8")
    monkeypatch.setenv("QUEUE_LIMIT", "2002")
    monkeypatch.setenv("RENDER_TIMEOUT", "2003")
    settings = load(render_timeout=3003)
    assert (settings.port, settings.queue_limit, settings.render_timeout) == (1001, 2002, 3003)
    assert settings.data_dir == Path("dätä")


def test_an_empty_variable_and_a_foreign_one_are_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    Path(".env").write_text("API_KEYS=\nSOMETHING_ELSE=1\n")
    settings = load()
    assert (settings.port, settings.api_keys) == (8080, ())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_keys(host: str) -> None:
    assert load(host=host).on_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_another_address_needs_keys_or_consent(host: str) -> None:
    assert f"HOST={host} would let anyone on the network render. Set API_KEYS, or ALLOW_ANONYMOUS=1" in refusal(
        host=host
    )
    assert not load(host=host, allow_anonymous=True).on_loopback
    assert not load(host=host, api_keys="k").on_loopback


def test_a_separator_alone_is_no_key() -> None:
    assert "API_KEYS" in refusal(host="0.0.0.0", api_keys=" , ,")


def test_keys_and_origins_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", " ann:k1 ,k2,, bob:k:3 ")
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example")
    settings = load()
    assert [key.get_secret_value() for key in settings.api_keys] == ["ann:k1", "k2", "bob:k:3"]
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_keys_do_not_show() -> None:
    assert "hush" not in repr(load(api_keys="hush", signing_key="hush-too"))


def test_every_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("RENDER_SLOTS", "0")
    monkeypatch.setenv("LOG_FORMAT", "xml")
    monkeypatch.setenv("PUBLIC_URL", "ftp://example.org")
    lines = dict(line.split(": ", 1) for line in refusal().splitlines())
    assert set(lines) == {"PORT", "RENDER_SLOTS", "LOG_FORMAT", "PUBLIC_URL"}
    assert lines["PUBLIC_URL"] == "must start with http:// or https://"
    assert "greater than or equal to 1" in lines["RENDER_SLOTS"]


def test_a_wrong_secret_is_not_repeated() -> None:
    assert "hush" not in refusal(port="hush")


def test_a_public_url_loses_its_last_slash() -> None:
    assert load(public_url="https://videos.example/x/").public_url == "https://videos.example/x"


def test_slots_follow_the_cores_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, slots in ((1, 1), (2, 1), (8, 4)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid, cores=cores: set(range(cores)))
        assert load().slots == slots
    assert load(render_slots=7).slots == 7


def test_the_database_lies_in_the_data_folder_unless_set(tmp_path: Path) -> None:
    assert load(data_dir="here").database == f"sqlite+aiosqlite:///{tmp_path}/here/manimcast.db"
    assert load(database_url="postgresql+asyncpg://db/x").database == "postgresql+asyncpg://db/x"
