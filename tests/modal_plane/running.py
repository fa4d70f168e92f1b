"""A control plane as tests use it: started as a process of its own, steered over HTTP, gone at the end."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.modal_plane.faults import AnyFault, Kill, Then
from tests.modal_plane.report import Address, CallReport, ContainerReport, FunctionReport, ImageReport, Report
from tests.patience import PATIENCE, until

ROOT = Path(__file__).parents[2]


def alive(pid: int) -> bool:
    """Return whether a process is there and is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def nobody_listens() -> str:
    """Return an address on loopback where connections are refused: the same one each time.

    Its port stays taken as long as this process lives, so that nobody else can listen there.
    """
    host, port = _taken().getsockname()
    return f"http://{host}:{port}"


@functools.cache
def _taken() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken


class RunningPlane:
    """A running control plane."""

    def __init__(self, process: subprocess.Popen[bytes], address: Address, scratch: Path) -> None:
        self.process = process
        self.address = address
        self.environment = {
            "MODAL_SERVER_URL": address.server_url,
            "MODAL_TOKEN_ID": address.token_id,
            "MODAL_TOKEN_SECRET": address.token_secret,
            "MODAL_CONFIG_PATH": str(scratch / "no-such-file.toml"),
            "MODAL_DISABLE_API_PROXY": "1",
        }
        """What a client's environment needs to have. Modal reads it when it is imported."""

    def report(self) -> Report:
        """Return everything that there is to tell."""
        return Report.model_validate_json(self._ask("GET", "/report"))

    def containers(self, function: str = "") -> list[ContainerReport]:
        """Return the containers that there are, of one function or of all."""
        return [container for container in self.report().containers if function in {"", container.function}]

    def container(self, function: str = "") -> ContainerReport:
        """Wait for a container that runs an input, and return it."""

        def busy() -> ContainerReport | None:
            return next((found for found in self.containers(function) if found.inputs and found.pid), None)

        found = until(busy, f"a container of {function or 'any function'} at work")
        assert found is not None
        return found

    def call(self, call_id: str) -> CallReport:
        """Return a function call."""
        return next(call for call in self.report().calls if call.id == call_id)

    def function(self, name: str, environment: str = "main") -> FunctionReport:
        """Return a function of a deployed app."""
        return next(
            function
            for function in self.report().functions
            if (function.name, function.environment, function.deployed) == (name, environment, True)
        )

    def image(self, function: FunctionReport) -> ImageReport:
        """Return a function's image."""
        return next(image for image in self.report().images if image.id == function.image)

    def logs(self, container: str = "") -> str:
        """Return what the containers printed."""
        return "".join(log.text for log in self.report().logs if container in {"", log.container})

    def inject(self, fault: AnyFault) -> int:
        """Switch a fault on; return its number."""
        number: int = json.loads(self._ask("POST", "/faults", fault.model_dump_json().encode()))["id"]
        return number

    def clear(self, number: int | None = None) -> None:
        """Switch one fault off, or all; connections are accepted again."""
        self._ask("DELETE", "/faults" if number is None else f"/faults/{number}")

    def struck(self, number: int) -> int:
        """Return how often a fault struck."""
        return next(fault.struck for fault in self.report().faults if fault.id == number)

    @contextmanager
    def fault(self, fault: AnyFault) -> Iterator[int]:
        """Have a fault switched on."""
        number = self.inject(fault)
        try:
            yield number
        finally:
            self.clear(number)

    def kill_container(self, container_id: str, then: Then = "fail") -> None:
        """Kill a container's processes; ``then`` says what becomes of its input."""
        self._ask("POST", f"/containers/{container_id}/kill", Kill(then=then).model_dump_json().encode())

    def cancel(self) -> None:
        """Cancel every call that has not ended, with its container."""
        self._ask("POST", "/calls/cancel")

    def idle(self) -> None:
        """Wait until no input waits or runs."""
        until(
            lambda: all(state == "done" for call in self.report().calls for state in call.states),
            "the end of every call",
        )

    def stop(self) -> None:
        """Let the process stand still: it is silent on every connection, this interface included."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process; its containers end with it."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.address.control + path, body, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                data: bytes = answer.read()
                return data
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from None


@contextmanager
def plane(scratch: Path) -> Iterator[RunningPlane]:
    """Run a control plane. ``scratch`` is a directory in which it finds nothing."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.modal_plane", "--with-input"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MODAL_")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    line = b""
    with process.stdin, process.stdout:
        try:
            line = process.stdout.readline()
            assert line, "the control plane did not start"
            yield RunningPlane(process, Address.model_validate_json(line), scratch)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
            process.wait(PATIENCE)
            if line:
                shutil.rmtree(Address.model_validate_json(line).directory, ignore_errors=True)
