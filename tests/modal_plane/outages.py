"""Every way in which Modal can fail a render, and what the service has to make of it. Run it to print the table.

python -m tests.modal_plane.outages
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.modal_plane import faults
from tests.modal_plane.faults import AnyFault
from tests.modal_plane.running import RunningPlane, nobody_listens, plane
from tests.modal_plane.service import Service, Told, deploy, service

STREAM = "render_stream"
NOT_INSTALLED = """
from importlib.machinery import PathFinder
find_spec = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.partition(".")[0] in {names!r} else find_spec(name, *rest)
"""
"""What, as ``sitecustomize``, makes packages look as if they were not installed."""


@dataclass(frozen=True)
class Outage:
    """Something that goes wrong while a service runs, and how the one render that meets it ends.

    ``executors`` are those of the attempts, in their order; ``error`` is the code of a scene's failure. ``settings``
    are the bound that it meets, short enough to wait for; nothing else has to happen within that which takes long.
    """

    what: str
    fault: AnyFault
    executors: tuple[str, ...] = ("modal", "local")
    error: str | None = None
    settings: tuple[tuple[str, object], ...] = ()


RETRIED = ("modal", "modal", "modal", "local")
SHORT = 5.0
NO_ANSWER = (("modal_connect_timeout", SHORT),)
NO_START = (("modal_start_timeout", SHORT),)

OUTAGES = (
    Outage("no answer to anything", faults.Silent(), settings=NO_ANSWER),
    Outage("no answer to the call", faults.Silent(calls=("FunctionMap",)), settings=NO_ANSWER),
    Outage(
        "nothing heard once it runs",
        faults.Silent(calls=("FunctionCallGetDataOut", "FunctionGetOutputs")),
        settings=NO_START,
    ),
    Outage("connections refused", faults.Refuse(), settings=NO_ANSWER),
    Outage("connections refused in the middle", faults.Refuse(after=3), settings=NO_ANSWER),
    Outage("every connection lost in the middle, once", faults.Drop(after=3), executors=("modal",)),
    Outage("token no longer accepted", faults.BadToken()),
    Outage("account limit reached", faults.Exhausted()),
    Outage("container killed in the middle, once", faults.Kill(function=STREAM, after=3, times=1), ("modal", "modal")),
    Outage("container killed in the middle, always", faults.Kill(function=STREAM, after=3), RETRIED),
    Outage("container preempted", faults.Preempt(function=STREAM, after=3), ("modal", "modal")),
    Outage(
        "container preempted, heard from the start again",
        faults.Preempt(function=STREAM, after=3, indices="go_on"),
        ("modal", "modal"),
    ),
    Outage("container never starts", faults.CrashAtStart(function=STREAM), RETRIED),
    Outage("call canceled by somebody else", faults.Terminate(function=STREAM, after=3, times=1), ("modal", "modal")),
    Outage("container out of memory", faults.OutOfMemory(function=STREAM, after=3), ("modal",), "out_of_memory"),
    Outage("function's timeout", faults.TimeOut(function=STREAM, after=3), ("modal",), "timeout"),
    Outage("an item that is no CBOR", faults.MalformedChunk(function=STREAM, after=3), RETRIED),
    Outage("an item of 8 MiB", faults.OversizedChunk(function=STREAM, after=3), RETRIED),
    Outage("every item twice", faults.DuplicateChunks(function=STREAM), RETRIED),
    Outage("every item sent again", faults.DuplicateChunks(function=STREAM, indices="same"), ("modal",)),
)


@dataclass
class Case:
    """What is wrong with the service's surroundings from its start on, and what it says of that."""

    what: str
    says: str
    settings: dict[str, object] = field(default_factory=dict)
    fault: AnyFault | None = None
    blocked: tuple[str, ...] = ()


def cases() -> list[Case]:
    """Return everything that can be wrong from the start."""
    no_token: dict[str, object] = {"modal_token_id": "", "modal_token_secret": ""}
    return [
        Case("modal not installed", "Modal import failed. Falling back", blocked=("modal",)),
        Case("no token", "Modal lookup failed: there is no token", no_token),
        Case("wrong token", "Modal lookup failed: the token is not accepted", {"modal_token_secret": "as-wrong"}),
        Case("app not deployed", "Modal lookup failed: the app nix is not deployed", {"modal_app_name": "nix"}),
        Case("no such environment", "there is no environment nowhere", {"modal_environment": "nowhere"}),
        Case("connections refused", "Modal lookup failed: 127.0.0.1:", {"modal_server_url": nobody_listens()}),
        Case("no answer", "Modal did not answer within 2 s", {"modal_connect_timeout": 2}, faults.Silent()),
    ]


def blocking(names: tuple[str, ...], folder: Path) -> dict[str, object]:
    """Return what keeps a service from importing these packages, as if they were not installed."""
    if not names:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(NOT_INSTALLED.format(names=set(names)))
    return {"pythonpath": folder}


def meet(running: RunningPlane, serving: Service, outage: Outage) -> Told:
    """Let a render meet the outage, and return what its client was told."""
    serving.until_modal()
    running.inject(outage.fault)
    try:
        return serving.stream()
    finally:
        running.clear()


def _rows(running: RunningPlane, folder: Path) -> None:
    for number, case in enumerate(cases()):
        if case.fault is not None:
            running.inject(case.fault)
        blocked = blocking(case.blocked, folder / f"blocked-{number}")
        with service(running, folder / f"case-{number}", **case.settings, **blocked) as serving:
            serving.logged(case.says)
            _print("from the start: " + case.what, serving.stream())
        running.clear()
    for number, outage in enumerate(OUTAGES):
        with service(running, folder / f"outage-{number}", **dict(outage.settings)) as serving:
            _print(outage.what, meet(running, serving, outage))


def _print(what: str, told: Told) -> None:
    attempts = ", ".join(f"{line['attempt']} on {line['executor']}" for line in told.attempts) or "none"
    end = f"video from {told.end['executor']}" if "video_url" in told.end else f"error: {told.end['error']}"
    first = told.seconds
    for line, seconds in zip(told.lines, told.times, strict=True):
        if "attempt" in line and "animationIndex" not in line and "video_url" not in line:
            first = seconds
            break
    print(f"| {what} | {attempts} | {first:.1f} | {end} | {told.seconds:.1f} |", flush=True)


def main() -> None:
    """Print the table."""
    print("| injected | further attempts | s until the first of them | the client gets | s in all |")
    print("|---|---|---:|---|---:|")
    with tempfile.TemporaryDirectory() as folder, plane(Path(folder)) as running:
        deploy(running)
        _rows(running, Path(folder))


if __name__ == "__main__":
    main()
