"""The real client in a process of its own, since Modal reads its environment when it is imported.

``python -m tests.modal_plane.client FUNCTION ARGUMENT...`` calls a function of the toy app; ``cancel CALL`` cancels a
call and ends its container, ``cancel_only CALL`` leaves that to the function; ``spawn FUNCTION ARGUMENT...`` waits for
a call that was only started, ``map FUNCTION LIST...`` calls for each item. Arguments are JSON; ``{"zeros": n}`` stands
for n bytes. Every line printed is JSON: ``{"item": ...}`` for what a generator yields, ``{"value": ...}`` for
what a function returns, ``{"error": type, "text": ...}`` for what either raises, ``{"end": true}`` after a generator's
last item. Without a command line it makes one call for each line of its input, a list, and prints ``{"done": true}``
after each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from tests.modal_plane.running import ROOT, RunningPlane
from tests.patience import PATIENCE

APP = "toy"
GENERATORS = frozenset({"count", "daemon", "polite"})
ENVIRONMENT = "TOY_ENVIRONMENT"
DONE = {"done": True}


class Talk:
    """A call that goes on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def next(self) -> dict[str, Any]:
        """Return the next line."""
        line = self._output.readline()
        assert line, "the client ended without a word"
        read: dict[str, Any] = json.loads(line)
        return read

    def rest(self) -> list[dict[str, Any]]:
        """Return the lines until the end."""
        return [json.loads(line) for line in self._output]

    @property
    def _output(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout


@contextmanager
def calling(plane: RunningPlane, function: str, *arguments: object, **environment: str) -> Iterator[Talk]:
    """Have a call go on."""
    command = [sys.executable, "-m", "tests.modal_plane.client", function, *map(json.dumps, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, env=_environment(plane, environment), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Talk(process)
        finally:
            process.kill()


class Client:
    """A client that makes one call after the other, with one connection."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._talk = Talk(process)

    def call(self, function: str, *arguments: object) -> list[dict[str, Any]]:
        """Make a call and return all that the client printed."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([function, *arguments]) + "\n")
        self._process.stdin.flush()
        said = []
        while (line := self._talk.next()) != DONE:
            said.append(line)
        return said


@contextmanager
def client(plane: RunningPlane) -> Iterator[Client]:
    """Run a client for many calls."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.modal_plane.client"],
        cwd=ROOT,
        env=_environment(plane, {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Client(process)
        finally:
            process.kill()


def call(plane: RunningPlane, function: str, *arguments: object, **environment: str) -> list[dict[str, Any]]:
    """Make one call in a process of its own, and return all that it printed."""
    with calling(plane, function, *arguments, **environment) as talk:
        return talk.rest()


def modal_cli(plane: RunningPlane, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the ``modal`` command."""
    return subprocess.run(
        [sys.executable, "-m", "modal", *arguments],
        cwd=ROOT,
        env=_environment(plane, {"COLUMNS": "200"} | environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def _environment(plane: RunningPlane, more: dict[str, str]) -> dict[str, str]:
    """Return what a client finds; what is empty in ``more`` is not there."""
    merged = os.environ | plane.environment | more
    return {name: value for name, value in merged.items() if more.get(name) != ""}


def _say(**said: object) -> None:
    print(json.dumps(said, default=lambda value: {"bytes": len(value)}), flush=True)


def _argument(value: object) -> object:
    return bytes(value["zeros"]) if isinstance(value, dict) and "zeros" in value else value


def main(name: str, *values: object) -> None:
    """Make one call."""
    import modal  # noqa: PLC0415 - the tests' own process does not need it

    arguments = [_argument(value) for value in values]
    try:
        if name in {"cancel", "cancel_only"}:
            modal.FunctionCall.from_id(str(arguments[0])).cancel(terminate_containers=name == "cancel")
            _say(value=None)
            return
        way = name if name in {"spawn", "map"} else ""
        if way:
            name, *arguments = str(arguments[0]), *arguments[1:]
        if name.startswith("Counter."):
            found: Any = getattr(modal.Cls.from_name(APP, "Counter")(), name.partition(".")[2])
        else:
            found = modal.Function.from_name(APP, name, environment_name=os.environ.get(ENVIRONMENT))
        if way == "spawn":
            _say(value=found.spawn(*arguments).get())
        elif way == "map":
            _say(value=list(found.map(*arguments)))
        elif name in GENERATORS:
            for item in found.remote_gen(*arguments):
                _say(item=item)
            _say(end=True)
        else:
            _say(value=found.remote(*arguments))
    except Exception as error:  # noqa: BLE001 - telling what was raised is what this is for
        _say(error=type(error).__name__, text=str(error))


if __name__ == "__main__":
    if sys.argv[1:]:
        main(sys.argv[1], *map(json.loads, sys.argv[2:]))
    else:
        for asked in sys.stdin:
            main(*json.loads(asked))
            _say(**DONE)
