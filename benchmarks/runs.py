"""Runs in pairs: each round renders a scene every way there is, back to back, so that a busy moment hits all alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.catalogue import code_of, path_of
from benchmarks.service import Answered, Service
from benchmarks.stock import Stock

WAYS = ("warm", "medium", "cold")
"""``warm``: the service is up and has rendered before. ``medium``: the same, with stock Manim's encoder preset.
``cold``: from the start of its process to the answer, with TeX yet to be typeset."""

STOCK = "stock"
PRESETS: dict[str, dict[str, Any]] = {"medium": {"encoder_preset": "medium"}}


@dataclass(frozen=True)
class Run:
    """One render. ``way`` is ``stock`` or one of :data:`WAYS`.

    ``seconds`` is wall time and ``cpu`` the CPU time of all processes that took part, ``bytes`` the video's size,
    ``load`` the machine's just before. ``timings`` is where the service says that the time went.
    """

    scene: str
    quality: str
    round: int
    way: str
    seconds: float
    cpu: float
    frames: int
    bytes: int
    load: float
    timings: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return it as it stands in the file of raw results."""
        return asdict(self)


def measure(
    scenes: list[str],
    ways: list[str],
    *,
    qualities: list[str],
    repeat: int,
    tell: Callable[[Run], None],
    stock_options: tuple[str, ...] = (),
) -> list[Run]:
    """Render each scene ``repeat`` times each way at each quality, beside stock Manim, and return all runs.

    Each round takes the ways in another order, and finds the caches cold, except TeX's. Raises :class:`RuntimeError`
    when a render fails, when something came from a cache all the same, or when the service's video has not as many
    frames as stock Manim's.
    """
    runs: list[Run] = []
    with ExitStack() as stack:
        stock = Stock(Path(stack.enter_context(tempfile.TemporaryDirectory())), further=stock_options)
        warm = None
        if set(ways) - {"cold"}:
            warm = stack.enter_context(Service())
            warm.warm_up(*[code_of(scene) for scene in scenes])
        for scene in scenes:
            stock.typeset(path_of(scene))
        for quality in qualities:
            for number in range(repeat):
                for scene in scenes:
                    order = [STOCK, *ways]
                    shift = number % len(order)
                    found = [
                        _stock(stock, scene, quality, number)
                        if way == STOCK
                        else _service(warm, scene, quality, number, way)
                        for way in order[shift:] + order[:shift]
                    ]
                    if len({run.frames for run in found}) > 1:
                        raise RuntimeError(f"{scene}: not the same frames: { {run.way: run.frames for run in found} }")
                    for run in found:
                        tell(run)
                    runs += found
    return runs


def _stock(stock: Stock, scene: str, quality: str, number: int) -> Run:
    load = machine.load()[0]
    done = stock.render(path_of(scene), quality)
    return Run(scene, quality, number, STOCK, round(done.seconds, 4), round(done.cpu, 3), done.frames, done.bytes, load)


def _service(warm: Service | None, scene: str, quality: str, number: int, way: str) -> Run:
    load = machine.load()[0]
    code = code_of(scene)
    if way == "cold":
        with Service() as service:
            before = service.since_start()
            return _run(service, service.render(code, quality=quality), (scene, quality, number, way), load, before)
    assert warm is not None
    warm.next_tenant()
    answered = warm.render(code, quality=quality, **PRESETS.get(way, {}))
    return _run(warm, answered, (scene, quality, number, way), load, 0.0)


def _run(service: Service, answered: Answered, what: tuple[str, str, int, str], load: float, before: float) -> Run:
    scene, quality, number, way = what
    if answered.from_cache != "none":
        raise RuntimeError(f"{scene}: the {answered.from_cache} came from a cache that should be cold")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "video.mp4")
        frames = service.video(answered.answer, path)
        return Run(
            scene=scene,
            quality=quality,
            round=number,
            way=way,
            seconds=round(before + answered.seconds, 4),
            cpu=round(answered.cpu, 3),
            frames=frames,
            bytes=path.stat().st_size,
            load=load,
            timings=answered.answer.get("timings") or {},
        )
