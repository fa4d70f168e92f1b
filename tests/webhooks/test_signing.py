"""Secrets: which are any, where they come from, how they change."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from manimcast.settings import Settings, SettingsError, load
from manimcast.webhooks import SecretError, Secrets, new_secret


def settings(tmp_path: Path, **fields: str) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data", **fields)


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    secrets = Secrets(settings(tmp_path))
    [secret] = secrets.current()
    assert secrets.current() == Secrets(settings(tmp_path)).current() == (secret,)
    assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600
    rotated = secrets.rotate()
    assert rotated[1] == secret
    assert secrets.rotate()[1] == rotated[0], "there are never more than two"
    assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600
    assert [path.name for path in secrets.path.parent.iterdir()] == ["webhook.key"]


def test_those_of_the_setting_win_and_are_the_operators_to_change(tmp_path: Path) -> None:
    new, old = new_secret(), new_secret()
    for written in (f"{new} {old}", f"{new},{old}", f" {new} , {old} "):
        secrets = Secrets(settings(tmp_path, webhook_secret=written))
        assert secrets.current() == (new, old)
    assert not secrets.path.exists()
    for change in (secrets.rotate, secrets.retire):
        with pytest.raises(SecretError, match="WEBHOOK_SECRET"):
            change()


@pytest.mark.parametrize("text", ["", "nonsense", "whsec_", "whsec_c2hvcnQ=", " ".join(["whsec_" + "A" * 32] * 3)])
def test_a_file_without_secrets_is_damaged(tmp_path: Path, text: str) -> None:
    secrets = Secrets(settings(tmp_path))
    secrets.path.parent.mkdir()
    secrets.path.write_text(text)
    with pytest.raises(SecretError, match="damaged"):
        secrets.current()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(SecretError, match="or set WEBHOOK_SECRET"):
        Secrets(settings(tmp_path)).current()


@pytest.mark.parametrize(
    "wrong",
    ["changeme", "whsec_" + "A" * 16, "whsec_!!!!", "A" * 32, "whsec_" + "A" * 200, " ".join([new_secret()] * 3)],
)
def test_a_setting_that_is_no_secret_is_refused_without_being_shown(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET") as caught:
        load(_env_file=None, webhook_secret=wrong)
    assert wrong not in str(caught.value)


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_ALLOWED_NETWORKS"):
        load(_env_file=None, webhook_allowed_networks="10.0.0.0/8, everywhere")
