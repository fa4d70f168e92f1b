"""The harness itself: an attack that gets through, does harm, or fails by its own mistake does not pass."""

from __future__ import annotations

import os
import signal
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.attacks import answer
from tests.attacks.attack import Attack, CorpusError, load, load_all
from tests.attacks.range import Range, Result, shooting_range
from tests.executors.rig import running_here

Shoot = Callable[..., Result]


@pytest.fixture(scope="module")
def field() -> Iterator[Range]:
    """A service to attack."""
    with shooting_range(sandbox="strict") as opened:
        yield opened


def made(folder: Path, *lines: str, expect: str = '"stopped"') -> Attack:
    """Return the attack in a file with a docstring, EXPECT and ``lines``."""
    path = folder / "area" / "made.py"
    path.parent.mkdir()
    body = textwrap.dedent("\n".join(lines))
    path.write_text(f'"""Tries something."""\n\nimport os\n\nEXPECT = {expect}\n\n\n{body}\n')
    return load(path, folder)


@pytest.fixture
def shoot(field: Range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shoot:
    """Run the attack of which these are the lines. One that does ``lasting`` harm is not waited for to mend."""

    def run(*lines: str, expect: str = '"stopped"', lasting: bool = False) -> Result:
        with monkeypatch.context() as patch:
            if lasting:
                patch.setattr(field, "patience", 0.1)
            result = field.run(made(tmp_path, *lines, expect=expect))
        if result.damage:
            field.renew()
        return result

    return run


def test_one_that_is_stopped_passes(shoot: Shoot) -> None:
    result = shoot("def attack(target):", "    open(target.secret_file)")
    assert result.safe, str(result)
    assert result.outcome == "stopped"
    assert "ENOENT" in result.detail or "EACCES" in result.detail


def test_one_that_gets_through_fails(shoot: Shoot) -> None:
    result = shoot("def attack(target):", "    return os.getpid()")
    assert not result.safe
    assert result.outcome == "escaped"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("return undefined", "NameError in line 9"),
        ("os.no_such_function()", "AttributeError"),
        ("os.open(1, 2, 3, 4, 5)", "TypeError"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("return target.nothing_of_that_name", "nobody planted"),
        ("[][0]", "IndexError"),
        ("raise OSError(22, 'invalid')", "EINVAL"),
        ("raise OSError('no number')", "no number"),
        ("os.read(99, 1)", "EBADF"),
        ("target.syscall('openat', -100, 0, 0)", "KeyError"),
        ("target.in_child(lambda: undefined)", "NameError"),
        ("target.in_child(lambda: os.abort())", "said nothing"),
    ],
)
def test_one_with_a_mistake_of_its_own_fails(shoot: Shoot, line: str, told: str) -> None:
    result = shoot("def attack(target):", f"    {line}")
    assert result.outcome == "broken"
    assert told in result.detail
    assert not result.safe


def test_one_that_does_not_even_load_fails(shoot: Shoot) -> None:
    result = shoot("no_such_name", "def attack(target):", "    raise PermissionError(1, 'stopped')")
    assert result.outcome == "broken"


def test_another_outcome_than_the_expected_one_fails(shoot: Shoot) -> None:
    result = shoot("def attack(target):", "    raise PermissionError(1, 'stopped')", expect='"timeout"')
    assert result.outcome == "stopped"
    assert not result.safe


def test_a_child_tells_what_came_of_it(shoot: Shoot) -> None:
    result = shoot("def attack(target):", "    return target.in_child(lambda: os.getpid())")
    assert result.outcome == "escaped"


def test_what_a_driver_finds_counts(shoot: Shoot) -> None:
    result = shoot("def drive(host):", "    return 'it is there'")
    assert (result.outcome, result.detail) == ("escaped", "it is there")


def test_one_of_many_renders_that_gets_through_counts(shoot: Shoot) -> None:
    result = shoot(
        "def attack(target):",
        "    return target.step == 'two' and 'got through'",
        "def drive(host):",
        "    host.together('one', 'two', 'three')",
    )
    assert (result.outcome, result.detail) == ("escaped", "got through")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("host.planted.file.write_text('I was here')", "secret.txt changed"),
        ("host.planted.file.chmod(0o600)", "secret.txt changed"),
        ("(host.planted.folder / 'new').touch()", "folder changed"),
        ("host.planted.bystander.kill(); host.planted.bystander.wait()", "another process was ended"),
        ("import urllib.request as u; u.urlopen(f'http://127.0.0.1:{host.facts[\"tcp_port\"]}').close()", "tcp heard"),
        ("host.planted.shared.write_text('I was here')", "changed"),
        ("[os.kill(pid, 9) for pid in host.facts['neighbour']]", "the neighbour did not come through"),
        ("os.kill(host.server.process.pid, 9); host.server.process.wait()", "the service ended"),
        ("(host.server.data / 'work' / 'left').mkdir(parents=True)", "files are left"),
    ],
)
def test_harm_is_noticed(shoot: Shoot, line: str, told: str) -> None:
    lines = ("def attack(target):", "    pass", "def drive(host):", "    host.render()", f"    {line}")
    result = shoot(*lines, lasting=True)
    assert any(told in harm for harm in result.harm), str(result)
    assert not result.safe


def test_a_process_that_is_left_is_noticed(shoot: Shoot) -> None:
    spawn = "os.posix_spawn('/bin/sleep', ['sleep', '4321'], {'TEST_MARKER': host.server.marker})"
    try:
        result = shoot("def drive(host):", f"    {spawn}", lasting=True)
        assert any("processes are left: ['sleep 4321 ']" in harm for harm in result.harm), str(result)
    finally:
        for pid in running_here("sleep 4321"):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [("host.planted.secret", "secret"), ("str(host.server.data)", "path of the host")],
)
def test_what_an_answer_must_not_tell_is_noticed(shoot: Shoot, text: str, told: str) -> None:
    code = f"f'class A(Scene):\\n    def construct(self): print({{{text}!r}}); boom'"
    result = shoot("def drive(host):", f"    host.render({code})", expect='"exception"')
    assert any(told in harm for harm in result.harm), str(result)


def test_what_is_dangerous_runs_in_the_full_sandbox_only(
    field: Range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = made(tmp_path, 'DANGEROUS = "it would break everything"', "def attack(target):", "    return 1")
    assert attack.dangerous
    monkeypatch.setattr(Range, "tier", "weak")
    with pytest.raises(AssertionError, match="break everything"):
        field.run(attack)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def attack(target):\n    pass", "docstring"),
        ('"""Tries."""\ndef attack(target):\n    pass', "EXPECT"),
        ('"""Tries."""\nEXPECT = "stopped"', "attack"),
        ('"""Tries."""\nEXPECT = "harmless"\ndef attack(target):\n    pass', "harmless"),
        ('"""Tries."""\nEXPECT = {"stopped", "escaped"}\ndef attack(target):\n    pass', "never safe"),
        ('"""Tries."""\nEXPECT = "internal"\ndef attack(target):\n    pass', "never safe"),
        ('"""Tries."""\nEXPECT = "stopped"\nSYSCALLS = 1\ndef attack(target):\n    pass', "SYSCALLS"),
        ('"""Tries."""\nEXPECT = "stopped"\ndef attack(target:\n    pass', "never closed"),
    ],
)
def test_a_file_that_is_no_attack_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "area" / "made.py"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(CorpusError, match=told):
        load(path, tmp_path)


def test_attacks_are_found_by_name_and_by_area() -> None:
    assert [attack.name for attack in load_all("files/passwd")] == ["files/passwd"]
    assert {attack.name.partition("/")[0] for attack in load_all("tex", "collusion/")} == {"tex", "collusion"}
    with pytest.raises(CorpusError, match="no attack or area"):
        load_all("no/such")


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"video_url": "x"}, "rendered"),
        (200, {"status": "succeeded", "error": None}, "rendered"),
        (400, {"error": "No code provided"}, "refused"),
        (422, {"title": "Invalid", "detail": "format must be"}, "refused"),
        (503, {"detail": "no executor"}, "internal"),
        (422, {"scene_error": {"code": "exception", "exception": "Escaped", "message": "x"}}, "escaped"),
        (422, {"scene_error": {"code": "exception", "exception": "Stopped", "message": "x"}}, "stopped"),
        (422, {"scene_error": {"code": "exception", "exception": "NameError", "message": "x"}}, "broken"),
        (422, {"scene_error": {"code": "exception", "exception": None, "message": "signal"}}, "killed"),
        (422, {"scene_error": {"code": "syntax_error", "exception": "SyntaxError", "message": "x"}}, "broken"),
        (422, {"scene_error": {"code": "out_of_memory", "exception": None, "message": "x"}}, "out_of_memory"),
        (504, {"error": "Compilation timed out", "scene_error": {"code": "timeout", "message": "x"}}, "timeout"),
        (200, {"status": "failed", "error": {"code": "timeout", "message": "x"}}, "timeout"),
    ],
)
def test_answers_are_understood(status: int, body: dict[str, object], outcome: str) -> None:
    assert answer.read(httpx.Response(status, json=body)).outcome == outcome


def test_plain_scenes_may_fail_by_their_own_mistakes() -> None:
    body = {"scene_error": {"code": "exception", "exception": "NameError", "message": "x"}}
    assert answer.read(httpx.Response(422, json=body), plain=True).outcome == "exception"
