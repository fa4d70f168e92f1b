"""Figures that are not a pair of renders: the first frame, the same request again, an edit, a dry run."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.catalogue import QUALITIES, TYPICAL, code_of, of_class, path_of
from benchmarks.reach import Row
from benchmarks.service import NotAvailableError, Service

ROUNDS = 5
SCENES = ("circle", "explainer", "sorting", "text", "network")
"""For the figures that any scene shows; without TeX, which would be most of it the first time."""

LAST = "self.play(Create(Square(3, color=YELLOW)), run_time=1)"
EDITED = "self.play(Create(Square(2.5, color=GREEN)), run_time=1)"
"""The last of the twenty plays in ``scenes/plays.py``, and what it is edited to."""
ALONE = f"from manim import *\n\n\nclass Alone(Scene):\n    def construct(self):\n        {EDITED}\n"

Tell = Callable[[str], None]


def measure(qualities: Sequence[str], tell: Tell) -> tuple[list[Row], dict[str, Any]]:
    """Measure them in one warm service. Returns their lines of the table, and the raw numbers."""
    raw: dict[str, Any] = {}
    with Service() as service:
        service.warm_up(*[code_of(scene) for scene in of_class(*TYPICAL)])
        rows = [
            figure(service, quality, raw, tell) for figure in (_first_frame, _again, _edit) for quality in qualities
        ]
        rows.append(_dry_run(service, raw, tell))
    return rows, raw


def _first_frame(service: Service, quality: str, raw: dict[str, Any], tell: Tell) -> Row:
    work, target = f"request to first progress, {QUALITIES[quality]}", "100 ms"
    found = {}
    for scene in SCENES:
        seconds = []
        for _ in range(ROUNDS):
            service.next_tenant()
            seconds.append(service.first_progress(code_of(scene), quality))
        found[scene] = seconds
        tell(f"first progress of {scene}, {quality}: {_ms(statistics.median(seconds))}")
    raw[f"first progress, {quality}"] = found
    return _milliseconds(work, target, found, 0.1)


def _again(service: Service, quality: str, raw: dict[str, Any], tell: Tell) -> Row:
    work, target = f"identical request again, {QUALITIES[quality]}", "20 ms"
    found = {}
    for scene in SCENES:
        service.next_tenant()
        service.render_as_ever(code_of(scene), quality)
        answers = [service.render_as_ever(code_of(scene), quality) for _ in range(ROUNDS)]
        if any(answer.from_cache != "result" for answer in answers):
            tell(f"{scene} again, {quality}: was rendered again")
            return Row(work, target, "not available: it was rendered again")
        found[scene] = [answer.seconds for answer in answers]
        tell(f"{scene} again, {quality}: {_ms(statistics.median(found[scene]))}")
    raw[f"again, {quality}"] = found
    return _milliseconds(work, target, found, 0.02)


def _edit(service: Service, quality: str, raw: dict[str, Any], tell: Tell) -> Row:
    work, target = f"the last of 20 animations edited, {QUALITIES[quality]}", "its own cost + 0.3 s"
    code = code_of("plays")
    assert code.count(LAST) == 1
    found: dict[str, list[float]] = {"whole": [], "edited": [], "alone": []}
    for _ in range(ROUNDS):
        service.next_tenant()
        found["whole"].append(service.render(code, quality=quality).seconds)
        edited = service.render(code.replace(LAST, EDITED), quality=quality)
        if edited.from_cache != "segments":
            tell(f"edit, {quality}: all was drawn again")
            return Row(work, target, "not available: all was drawn again")
        found["edited"].append(edited.seconds)
        service.next_tenant()
        found["alone"].append(service.render(ALONE, quality=quality).seconds)
    raw[f"edit, {quality}"] = found
    over = [edited - alone for edited, alone in zip(found["edited"], found["alone"], strict=True)]
    median = statistics.median(over)
    tell(f"edit, {quality}: {_ms(median)} over the animation's own")
    return Row(
        work,
        target,
        f"its own {_ms(statistics.median(found['alone']))} + {_ms(median)}",
        f"+ {_ms(max(over))}",
        median <= 0.3,
    )


def _dry_run(service: Service, raw: dict[str, Any], tell: Tell) -> Row:
    work, target = "dry run of a typical scene", "its construct + 150 ms"
    found = {}
    for scene in of_class(*TYPICAL):
        try:
            seconds = [service.inspect(code_of(scene), "medium").seconds for _ in range(ROUNDS)]
        except NotAvailableError as error:
            tell(f"dry run: {error}")
            return Row(work, target, f"not available: {error}")
        own = _construct(scene)
        found[scene] = [total - own for total in seconds]
        raw.setdefault("dry run", {})[scene] = {"construct": own, "whole": seconds}
        tell(f"dry run of {scene}: {_ms(statistics.median(seconds))}, of which its construct {_ms(own)}")
    return _milliseconds(work, target, found, 0.15, before="+ ")


def _construct(scene: str) -> float:
    command = [sys.executable, "-m", "benchmarks.construct", str(path_of(scene))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=path_of(scene).parents[2])
    return float(done.stdout.split()[-1])


def _milliseconds(work: str, target: str, found: dict[str, list[float]], most: float, *, before: str = "") -> Row:
    median = statistics.median(statistics.median(seconds) for seconds in found.values())
    worst = max(found, key=lambda scene: max(found[scene]))
    return Row(work, target, before + _ms(median), f"{before}{_ms(max(found[worst]))} {worst}", median <= most)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
