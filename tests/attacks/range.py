"""The shooting range: a service to attack, with a neighbour beside each attack and an inspection after it."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.attacks.attack import ESCAPED, Attack
from tests.attacks.host import TENANTS, Host
from tests.attacks.neighbour import Neighbour
from tests.attacks.planted import Planted
from tests.e2e.server import Server, serving
from tests.patience import PATIENCE

SETTINGS: dict[str, Any] = {
    "api_keys": ",".join(f"{tenant}:{key}" for tenant, key in TENANTS.items()),
    "allow_anonymous": True,  # most attacks send no key
    "render_slots": 3,  # two that attack, and their neighbour
    "render_timeout": 2 * PATIENCE,  # an attack that is to be ended by its timeout asks for a short one
    "render_memory": 512,
    "render_processes": 32,
    "render_disk": 256,
    "render_files": 5000,
    "tex_timeout": PATIENCE / 2,
    "max_video_mib": 4,
    "max_duration": 30,
    "recycle_renders": 1_000_000,
    "result_cache": "off",
    "shutdown_grace": 0,
}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Result:
    """What came of an attack.

    Attributes
    ----------
    outcome, detail
        How its last render ended; ``escaped`` when anything got through.
    harm
        What was found afterwards that should not be.
    damage
        The part of that which makes the service unfit for the next attack.
    """

    attack: Attack
    outcome: str
    detail: str
    harm: tuple[str, ...]
    damage: tuple[str, ...]
    seconds: float

    @property
    def safe(self) -> bool:
        """Whether nothing came of it but what the attack expects."""
        return self.outcome in self.attack.expect and not self.harm

    @property
    def proven(self) -> bool:
        """Whether it did without a sandbox what the attack says, so that what stops it elsewhere is the sandbox.

        Harm is a way of getting through.
        """
        return self.outcome in self.attack.bare or (ESCAPED in self.attack.bare and bool(self.harm))

    def __str__(self) -> str:
        return f"{self.attack.name} ({self.attack.summary}): {self.outcome}: {'; '.join((self.detail, *self.harm))}"


class Range:
    """A service, what is planted around it, and how both were before any attack.

    Parameters
    ----------
    folder
        Where the service keeps its data.
    planted
        What the attacks may find.
    settings
        Of the service, besides :data:`SETTINGS`.

    Attributes
    ----------
    patience
        Seconds that the service has after an attack to be as it was before.
    """

    patience = PATIENCE

    def __init__(self, folder: Path, planted: Planted, **settings: Any) -> None:
        self._folder = folder
        self._planted = planted
        self._settings = SETTINGS | {"planted_secret": planted.secret} | settings
        self._services = ExitStack()
        self._open()

    def _open(self) -> None:
        data = Path(tempfile.mkdtemp(dir=self._folder)) / "data"
        self.server: Server = self._services.enter_context(serving(data, **self._settings))
        try:
            self._client = self._services.enter_context(self.server.client())
            self._expected = Neighbour(self.server, self._client).finish()  # now the warm process is there
            assert len(self._expected) == 64, self._expected
            another = Neighbour(self.server, self._client)
            assert another.finish() == self._expected
        except Exception as error:
            error.add_note("\n".join(self.server.log[-50:]))
            self._services.close()
            raise
        assert self._becomes(lambda: not self.server.scratch())
        assert self._becomes(lambda: not {*another.pids} & {*self.server.processes()})
        self._processes = self.server.processes()

    def close(self) -> None:
        """Stop the service."""
        self._services.close()

    def renew(self) -> None:
        """Go on with a fresh service: this one was damaged."""
        self._services.close()
        self._open()

    @property
    def tier(self) -> str:
        """How the service itself says that renders are confined."""
        return str(self._client.get("/v1/health").json()["sandbox"]["tier"])

    def run(self, attack: Attack) -> Result:
        """Attack, beside a neighbour, and look around afterwards."""
        if attack.dangerous and self.tier != "full":
            raise AssertionError(f"{attack.name} is not run outside of the full sandbox: {attack.dangerous}")
        began = time.monotonic()
        self._planted.reset()
        logged = len(self.server.log)
        neighbour = Neighbour(self.server, self._client)
        host = Host(attack, self.server, self._client, self._planted, self._facts(neighbour), self._serve)
        try:
            evidence = attack.drive(host) if attack.drive else host.render() and None
        finally:
            became = neighbour.finish()
        last = host.answers[-1] if host.answers else None
        outcome, detail = (last.outcome, last.detail) if last else ("stopped", "nothing came of it")
        got_through = [answer for answer in host.answers if answer.outcome == ESCAPED]
        if evidence or got_through:
            outcome, detail = ESCAPED, str(evidence or got_through[0].detail)
        damage = tuple(self._unwell())
        harm = [*damage, *self._planted.disturbances(), *self._leaks(host, logged)]
        if became != self._expected:
            harm.append(f"the neighbour did not come through: {became}")
        return Result(attack, outcome, detail, tuple(harm), damage, time.monotonic() - began)

    @contextmanager
    def _serve(self, **settings: Any) -> Iterator[Server]:
        """Start another service like this one, apart from ``settings``, with a data folder of its own."""
        data = Path(tempfile.mkdtemp(dir=self._folder)) / "data"
        with serving(data, **self._settings | settings) as server:
            yield server

    def _facts(self, neighbour: Neighbour) -> dict[str, object]:
        url = httpx.URL(self.server.address)
        return self._planted.facts() | {
            "data": str(self.server.data),
            "service": self.server.process.pid,
            "service_port": url.port,
            "processes": self._processes,
            "neighbour": neighbour.pids,
            "memory": int(self._settings["render_memory"]) << 20,
            "most_processes": self._settings["render_processes"],
        }

    def _becomes(self, condition: Callable[[], bool]) -> bool:
        """Wait until ``condition`` is true, and return whether it came to be."""
        deadline = time.monotonic() + self.patience
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _unwell(self) -> list[str]:
        """Return what is wrong with the service."""
        if self.server.process.poll() is not None:
            return [f"the service ended with {self.server.process.returncode}"]
        found = []
        try:
            health = self._client.get("/v1/health")
            if health.status_code != 200 or health.json()["status"] != "healthy":
                found.append(f"the service is not well: {health.text}")
        except httpx.HTTPError as error:
            found.append(f"the service does not answer: {error!r}")
        if not self._becomes(lambda: self.server.processes() == self._processes):
            now = set(self.server.processes())
            lost, new = sorted(set(self._processes) - now), sorted(now - set(self._processes))
            found.append(f"processes are left: {[_command(pid) for pid in new]}" if new else f"processes ended: {lost}")
        if not self._becomes(lambda: not self.server.scratch()):
            found.append(f"files are left: {self.server.scratch()}")
        return found

    def _leaks(self, host: Host, logged: int) -> list[str]:
        """Return what was told that should not be: to the client in an answer, to the operator in the log."""
        found = []
        for answer in host.answers:
            if self._planted.secret in answer.text:
                found.append("the secret is in the answer")
            if str(self.server.data) in answer.text.replace(host.planted.facts()["checkout"], ""):
                found.append("the answer tells a path of the host")
            if any(_CONTROL.search(text) for text in _strings(answer.body)):
                found.append("control characters are in the answer")
        if any(_CONTROL.search(line) for line in self.server.log[logged:]):
            found.append("control characters are in the log")
        return found


@contextmanager
def shooting_range(**settings: Any) -> Iterator[Range]:
    """Open a range, and clear everything away afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="manimcast-range-"))
        # Attacks without a sandbox leave what Python's own rmtree cannot remove.
        stack.callback(subprocess.run, ["rm", "-rf", str(folder)], check=True)
        folder.chmod(0o755)
        planted = Planted()
        stack.callback(planted.close)
        opened = Range(folder, planted, **settings)
        stack.callback(opened.close)
        yield opened


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:100]
    return str(pid)


def _strings(value: object) -> Iterator[str]:
    """Yield every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
