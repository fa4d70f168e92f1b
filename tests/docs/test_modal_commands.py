"""The commands and programs of the documents about Modal, run as they stand there.

Those that talk to Modal talk to the control plane on loopback. Which test runs which command is listed in
``test_modal_docs.py``, which also sees to it that the list is complete.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs.pages import DOCS, ROOT, code
from tests.e2e.server import serving
from tests.modal_plane.running import RunningPlane, plane
from tests.patience import PATIENCE

GUIDE = ROOT / "MODAL_DEPLOYMENT.md"
MIGRATE = DOCS / "how-to" / "migrate.md"
IN_NO_HURRY = {"MODAL_CONNECT_TIMEOUT": f"{PATIENCE / 2:g}"}
HELLO = {"code": "class Hello(Scene):\n    def construct(self):\n        self.play(Create(Dot()), run_time=0.2)\n"}


@pytest.fixture(scope="module")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlane]:
    with plane(tmp_path_factory.mktemp("plane")) as running:
        yield running
        report = running.report()
        assert (report.errors, report.unimplemented) == ([], {})


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands of the documents find what they name, and may leave files behind."""
    folder = tmp_path_factory.mktemp("clone")
    for entry in ("api", "run.py"):
        (folder / entry).symlink_to(ROOT / entry)
    return folder


class Terminal:
    """Runs commands of the documents as a shell does, with this environment's programs."""

    def __init__(self, loopback: RunningPlane, clone: Path) -> None:
        self.plane = loopback
        self.folder = clone
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {"PATH": programs, "HOME": str(clone), "LANG": "C.UTF-8", "COLUMNS": "200"}
        self.environment |= loopback.environment | IN_NO_HURRY

    def run(self, command: str) -> str:
        """Run ``command``, which has to succeed, and return what it printed."""
        ran = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=4 * PATIENCE,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}"
        return ran.stdout

    def serve(self, command: str) -> Any:
        """Start the service as ``command`` does: variables and `python run.py`."""
        *variables, python, program = command.split()
        assert (python, program) == ("python", "run.py")
        settings = dict(variable.split("=") for variable in variables)
        return serving(self.folder / "data", **(self.plane.environment | IN_NO_HURRY | settings))


@pytest.fixture(scope="module")
def terminal(loopback: RunningPlane, clone: Path) -> Terminal:
    found = Terminal(loopback, clone)
    found.run("manimcast deploy")
    return found


def test_deploy_and_look(terminal: Terminal) -> None:
    assert "Deployed manim-renderer-api" in terminal.run("manimcast deploy")
    health = terminal.run("manimcast modal health")
    assert re.search(r"^manim_version +0\.22", health, re.MULTILINE), health
    trial = terminal.run("python api/modal_manim.py")
    for line in ("video ", "duration ", "progress events ", "time "):
        assert re.search(rf"^{line}", trial, re.MULTILINE), trial
    assert (terminal.folder / "trial.mp4").stat().st_size > 1000
    assert "manim-renderer-api" in terminal.run("modal app list")
    terminal.run("modal app logs manim-renderer-api")


def test_run_without_a_deploy(terminal: Terminal) -> None:
    assert "progress events" in terminal.run("modal run api/modal_manim.py")


def test_roll_back(terminal: Terminal) -> None:
    before = terminal.plane.function("render_stream").memory
    terminal.run("MODAL_MEMORY=8192 manimcast deploy")
    assert (before, terminal.plane.function("render_stream").memory) == (4096, 8192)
    assert "v2" in terminal.run("modal app history manim-renderer-api")
    terminal.run("modal app rollback manim-renderer-api")
    assert terminal.plane.function("render_stream").memory == 4096


def test_environments(terminal: Terminal) -> None:
    terminal.run("modal environment create staging")
    terminal.run("manimcast deploy --env staging")
    assert "0.22" in terminal.run("manimcast modal health --env staging")
    with terminal.serve("MODAL_ENVIRONMENT=staging USE_MODAL=true python run.py") as server, server.client() as client:
        answer = client.post("/v1/video/rendering", json=HELLO).json()
        assert answer["executor"] == "modal", answer
        assert client.get("/v1/health").json()["executors"]["modal"]["environment"] == "staging"
    terminal.run("modal environment create preview-42")
    terminal.run("manimcast deploy --env preview-42")
    assert terminal.plane.function("render_stream", environment="preview-42").block_network
    terminal.run("modal environment delete preview-42 --yes")
    assert "preview-42" not in terminal.run("modal environment list")


def test_the_service_on_modal_and_off_it(terminal: Terminal) -> None:
    for command, executor, line in (
        ("USE_MODAL=true python run.py", "modal", "[INFO] Modal integration enabled and available"),
        ("USE_MODAL=false python run.py", "local", "[INFO] Modal integration disabled, using local rendering"),
    ):
        with terminal.serve(command) as server, server.client() as client:
            answer = client.post("/v1/video/rendering", json=HELLO).json()
            assert answer["executor"] == executor, answer
            assert any(line in logged for logged in server.log), server.log


def test_the_python_of_the_guide_renders(terminal: Terminal) -> None:
    (program,) = [block for block in code(GUIDE, "python") if "from_name" in block]
    (terminal.folder / "program.py").write_text(program)
    success, duration, size = terminal.run("python program.py").split()
    assert (success, float(duration)) == ("True", 1.0)
    assert int(size) > 1000


def test_the_stream_reader_for_those_who_move_over(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], loopback: RunningPlane
) -> None:
    (program,) = [block for block in code(MIGRATE, "python") if "def render" in block]
    names: dict[str, Any] = {}
    exec(program, names)
    with terminal.serve("USE_MODAL=true python run.py") as server:
        link = names["render"](server.address, HELLO)
        assert httpx.head(link).status_code == 200
        with pytest.raises(RuntimeError, match="Squar"):
            names["render"](server.address, {"code": HELLO["code"].replace("Dot", "Squar")})
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "0"


def test_calling_what_is_only_imported_fails_in_the_words_of_the_guide(terminal: Terminal) -> None:
    said = re.search(r"`(Function has not been hydrated with [^`]+)`", GUIDE.read_text(encoding="utf-8"))
    assert said is not None
    program = "from api.modal_manim import compile_manim_animation as render, health_check; render.remote('')"
    (terminal.folder / "wrong.py").write_text(f"try:\n    {program}\nexcept Exception as error:\n    print(error)\n")
    assert said[1] in terminal.run("python wrong.py")


def test_stop_the_app(terminal: Terminal) -> None:
    """Last of those that need it deployed."""
    terminal.run("modal app stop manim-renderer-api --yes")
    assert not [one for one in terminal.plane.report().apps if (one.state, one.environment) == ("deployed", "main")]


@pytest.mark.full
def test_set_up_says_that_everything_is_there() -> None:
    """`./dev test full` has installed everything before it runs this."""
    ran = subprocess.run("./dev setup", shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Everything is there." in ran.stdout


@pytest.mark.full
def test_a_host_that_only_serves(tmp_path: Path) -> None:
    """The set-up of a host without Manim, in a checkout of its own, and a render and an outage there."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for entry in ("manimcast", "api"):
        shutil.copytree(ROOT / entry, checkout / entry, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [
        *ROOT.glob("requirements*.txt"),
        *(ROOT / each for each in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "run.py")),
    ]:
        shutil.copy(path, checkout)
    steps = (
        "python3 -m venv .venv",
        ". .venv/bin/activate",
        "pip install -r requirements.txt",
        "pip install --no-deps --editable .",
    )
    (block,) = [block for block in code(GUIDE, "sh") if steps[0] in block]
    assert tuple(block.splitlines()) == steps
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MODAL_"))}
    ran = subprocess.run(
        ["sh", "-ec", block + "python -c 'import manim' || manimcast --version"],
        cwd=checkout,
        env=environment | {"PATH": f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "manim is not installed" in ran.stdout
    with plane(tmp_path) as running:
        terminal = Terminal(running, checkout)
        terminal.environment["PATH"] = f"{checkout}/.venv/bin:{os.environ['PATH']}"
        terminal.run("manimcast deploy")
        settings: dict[str, object] = {**running.environment, "use_modal": True, "modal_connect_timeout": 5}
        settings["result_cache"] = "off"  # which would answer the second time, although Modal is gone
        python = str(checkout / ".venv/bin/python")
        with serving(checkout / "data", python=python, **settings) as server, server.client() as client:
            answer = client.post("/v1/video/rendering", json=HELLO)
            assert (answer.status_code, answer.json()["executor"]) == (200, "modal"), answer.text
            running.kill()
            answer = client.post("/v1/video/rendering", json=HELLO)
            assert answer.status_code == 503, answer.text
            assert "manim is not installed here" in answer.text
