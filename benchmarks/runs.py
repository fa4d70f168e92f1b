"""Runs in pairs: each round renders a scene every way there is, back to back, so that a busy moment hits all alike."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import machine, stock
from benchmarks.service import Service

SCENES = Path(__file__).parent / "scenes"
WAYS = ("warm", "cold")
"""``warm``: the service is up and has rendered before. ``cold``: from the start of its process to the answer."""

STOCK = "stock"


@dataclass(frozen=True)
class Run:
    """One render. ``way`` is ``stock`` or one of :data:`WAYS`; ``load`` is the machine's just before."""

    scene: str
    round: int
    way: str
    seconds: float
    frames: int
    load: float

    def as_json(self) -> dict[str, object]:
        """Return it as it stands in the file of raw results."""
        return asdict(self)


def scene_names() -> list[str]:
    """Return the names of the benchmark scenes."""
    return sorted(path.stem for path in SCENES.glob("*.py"))


def measure(scenes: list[str], ways: list[str], *, quality: str, repeat: int, tell: Callable[[Run], None]) -> list[Run]:
    """Render each scene ``repeat`` times each way, beside stock Manim, and return all runs.

    Each round takes the ways in another order. Raises :class:`RuntimeError` when a render fails, or when the
    service's video has not as many frames as stock Manim's.
    """
    runs: list[Run] = []
    with ExitStack() as stack:
        warm = stack.enter_context(Service()) if "warm" in ways else None
        if warm:
            warm.warm_up()
        for number in range(repeat):
            for name in scenes:
                order = [STOCK, *ways]
                shift = number % len(order)
                found = [_run(name, number, way, quality, warm) for way in order[shift:] + order[:shift]]
                if len({run.frames for run in found}) > 1:
                    raise RuntimeError(f"{name}: not the same frames: { {run.way: run.frames for run in found} }")
                for run in found:
                    tell(run)
                runs += found
    return runs


def _run(name: str, number: int, way: str, quality: str, warm: Service | None) -> Run:
    path = SCENES / f"{name}.py"
    load = machine.load()[0]
    if way == STOCK:
        seconds, frames = stock.measure(path, quality)
    elif way == "cold":
        with Service() as service:
            before = service.since_start()
            rendering, frames = service.measure(path.read_text(encoding="utf-8"), quality)
            seconds = before + rendering
    else:
        assert warm is not None
        seconds, frames = warm.measure(path.read_text(encoding="utf-8"), quality)
    return Run(name, number, way, round(seconds, 4), frames, load)
