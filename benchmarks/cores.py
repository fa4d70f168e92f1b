"""The figure about more cores: each scene is rendered by one process, and by as many as there are to be cores.

No more than the machine's own work at once, so it is processor time that is measured, and the time on so many cores is
accounted from it (:mod:`benchmarks.parallel`).
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks import parallel
from benchmarks.catalogue import code_of
from benchmarks.parallel import CORES, LEAST_WORK, Work
from benchmarks.reach import Row
from benchmarks.service import Service
from benchmarks.special import Tell

WORK, TARGET = f"{CORES} cores, accounted from segment times", "0.75 efficiency"


def measure(scenes: Sequence[str], qualities: Sequence[str], tell: Tell) -> tuple[Row, dict[str, Any]]:
    """Measure ``scenes``. Returns the line of the table, and what the renders told of their work."""
    raw: dict[str, Any] = {}
    found: dict[str, tuple[Work, Work]] = {}
    with Service(RENDER_CORES="1") as one, Service(RENDER_CORES=str(CORES)) as many:
        for service in (one, many):
            service.warm_up(*[code_of(scene) for scene in scenes])
        for quality in qualities:
            for scene in scenes:
                name = f"{scene} {quality}"
                told = raw[name] = [_work(service, scene, quality) for service in (one, many)]
                alone, shared = map(parallel.work_of, told)
                if alone is None or shared is None:
                    tell(f"{name}: does not tell its work")
                    continue
                found[name] = alone, shared
                tell(
                    f"{name}: {alone.total:.2f} s by one process, {shared.on(CORES):.2f} s on {CORES} cores,"
                    f" efficiency {parallel.efficiency(alone, shared):.2f}"
                )
    return row(found), raw


def row(found: dict[str, tuple[Work, Work]]) -> Row:
    """Return the line of the table, from each scene's work by one process and by many."""
    efficiencies = {
        name: parallel.efficiency(alone, shared) for name, (alone, shared) in found.items() if alone.total >= LEAST_WORK
    }
    if not efficiencies:
        return Row(WORK, TARGET, f"not measured: no scene with {LEAST_WORK:g} s of work")
    worst = min(efficiencies, key=lambda name: efficiencies[name])
    median = statistics.median(efficiencies.values())
    return Row(WORK, TARGET, f"{median:.2f}", f"{efficiencies[worst]:.2f} {worst}", median >= 0.75)


def _work(service: Service, scene: str, quality: str) -> dict[str, Any] | None:
    service.next_tenant()
    answer = service.render(code_of(scene), quality=quality).answer
    work: dict[str, Any] | None = service.read(answer["id"], include="work")["work"]
    return work
