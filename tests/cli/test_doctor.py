from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from manimcast.cli import checks, confinement
from manimcast.settings import Settings
from tests.cli.conftest import Run


def test_the_list_has_every_check_and_a_verdict(manimcast: Run) -> None:
    done = manimcast("doctor", "--no-render", PORT="0")
    assert done.returncode == 0, done.stdout
    for name in ("Python", "manim", "Cairo and Pango", "Fonts", "LaTeX", "Typst", "OpenGL", "DATA_DIR", "Port"):
        assert f" {name} " in done.stdout
    assert "This machine can render." in done.stdout


def test_json_says_the_same_for_programs(manimcast: Run) -> None:
    done = manimcast("doctor", "--no-render", "--json", PORT="0")
    answer = json.loads(done.stdout)
    assert answer["can_render"] is True
    found = {check["name"]: check for check in answer["checks"]}
    assert found["manim"]["detail"] == checks.MANIM_VERSION
    assert found["Port"]["detail"] == "any free one"
    assert all(set(check) == {"name", "state", "detail", "remedy"} for check in found.values())


def test_the_sandbox_is_told_with_each_part(manimcast: Run) -> None:
    done = manimcast("doctor", "--no-render", "--json", PORT="0")
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert found["Sandbox"]["detail"] == "full: scenes of strangers may be rendered here"
    for name in ("bubblewrap", "Namespaces", "Landlock", "seccomp", "Other user"):
        assert found[name]["state"] == "ok"


@pytest.mark.parametrize(("mode", "state"), [("strict", "missing"), ("weak", "warning")])
def test_without_bubblewrap_the_tier_and_the_remedy_are_told(mode: str, state: str, without_bubblewrap: Path) -> None:
    found = {item.name: item for item in confinement.examine(Settings(_env_file=None, sandbox=mode))}
    assert found["Sandbox"].state == state
    assert "a scene could learn which files there are" in found["Sandbox"].detail
    assert found["bubblewrap"].remedy == "apt-get install bubblewrap"
    assert found["seccomp"].state is checks.State.ok


def test_a_sandbox_that_is_off_is_a_warning() -> None:
    (found,) = confinement.examine(Settings(_env_file=None, sandbox="off"))
    assert found.state is checks.State.warning
    assert "with all that this user may do" in found.detail


def test_wrong_settings_are_a_finding(manimcast: Run) -> None:
    done = manimcast("doctor", PORT="seventy")
    assert done.returncode == 1
    assert "✗ Settings" in done.stdout
    assert "PORT" in done.stdout
    assert "cannot render yet" in done.stdout


def test_without_latex_the_exact_line_to_get_it_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = checks.latex()
    assert found.state is checks.State.warning
    assert found.remedy == checks.APT_LATEX
    assert checks.fonts().state is checks.State.warning


def test_a_manim_that_is_missing_or_another_one_prevents_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_version", lambda _: None)
    assert checks.manim().state is checks.State.missing
    assert checks.manim().remedy == f"{checks.APT_BUILD} && {checks.PIP_LOCAL}"
    monkeypatch.setattr(checks, "_version", lambda _: "0.18.0")
    assert checks.manim().state is checks.State.missing


def test_the_version_is_the_one_of_the_package(request: pytest.FixtureRequest) -> None:
    requirement = f'"manim[typst]=={checks.MANIM_VERSION}"'
    assert requirement in (request.config.rootpath / "pyproject.toml").read_text()


def test_a_taken_port_is_noticed() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        found = checks.port(Settings(port=other.getsockname()[1]))
    assert found.state is checks.State.warning
    assert "in use" in found.detail


def test_a_data_folder_that_cannot_be_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = checks.data_folder(Settings(data_dir=tmp_path / "file" / "data"))
    assert found.state is checks.State.missing
    assert found.remedy
    fine = checks.data_folder(Settings(data_dir=tmp_path / "new" / "data"))
    assert fine.state is checks.State.ok
    assert not (tmp_path / "new").exists()
