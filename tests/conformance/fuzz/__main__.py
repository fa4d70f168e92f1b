"""``python -m tests.conformance.fuzz --scenes 200 --seed 1``: compose, draw, compare, count.

A scene that the sides draw differently is made as small as possible and written into ``tests/conformance/found``, where
the conformance suite picks it up. The exit status is 1 when there is one.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import manim

from tests.conformance.catalogue import FOUND
from tests.conformance.fuzz.campaign import Campaign, Finding, Verdict, as_case
from tests.conformance.fuzz.compose import compose
from tests.conformance.fuzz.program import Program
from tests.conformance.fuzz.shrink import shrink
from tests.conformance.harness import explain, first_difference, frames
from tests.conformance.switches import BY_NAME


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign. Returns the exit status."""
    chosen = _parser().parse_args(arguments)
    counts: collections.Counter[Verdict] = collections.Counter()
    words: set[str] = set()
    ways: collections.Counter[str] = collections.Counter()
    drawn, began = 0, time.perf_counter()
    with Campaign(tuple(chosen.off)) as campaign:
        for seed in range(chosen.seed, chosen.seed + chosen.scenes):
            program = compose(seed)
            finding = campaign.judge(program)
            counts[finding.verdict] += 1
            drawn += finding.frames
            if finding.verdict is Verdict.equal:
                words |= _names(program.source)
                ways.update(_ways(finding))
            if finding.verdict is not Verdict.equal or chosen.verbose:
                print(f"seed {seed}: {finding.verdict}: {_last_line(finding)}", flush=True)
            if finding.verdict is Verdict.different:
                _keep(campaign, program, seed, chosen.found)
    print(f"\n{chosen.scenes} scenes, seeds {chosen.seed} to {chosen.seed + chosen.scenes - 1}", end="")
    print(f", without {' and '.join(chosen.off)}" if chosen.off else "", end="")
    print(f": {', '.join(f'{counts[verdict]} {verdict}' for verdict in Verdict)}.")
    print(f"{drawn} frames compared in {time.perf_counter() - began:.0f} s; {len(words)} names of Manim's in use.")
    print("; ".join(f"{count} scenes {way}" for way, count in ways.most_common()))
    return 1 if counts[Verdict.different] else 0


def _keep(campaign: Campaign, program: Program, seed: int, found: Path) -> None:
    small = shrink(program, campaign.differs)
    case = as_case(small)
    records = campaign.stock.render(case), campaign.engine.render(case)
    raised = [record["error"] for record in records if "error" in record]
    place = None if raised else first_difference(*(frames(record) for record in records))
    told = raised[0] if raised else "" if place is None else explain(case, place, campaign.stock, campaign.engine)
    small = replace(small, comment=f"Found by the fuzzer, seed {seed}; made smaller.")
    found.mkdir(exist_ok=True)
    path = found / f"seed_{seed}.py"
    path.write_text(small.source, encoding="utf-8")
    print(f"{small.source}{told}\nwritten to {path}", flush=True)


def _ways(finding: Finding) -> list[str]:
    """Return which ways the engine took to be fast, as far as it tells."""
    drawing = finding.drawing
    ways = ["drawn in parts by other processes"] * bool(drawing.get("forked"))
    ways += ["with plays stepped over"] * bool(drawing.get("stepped_over"))
    if drawing.get("alone_because"):
        ways.append(f"alone: {drawing['alone_because'][:80]}")
    return ways


def _names(source: str) -> set[str]:
    return {name for name in re.findall(r"\b[A-Z]\w+", source) if isinstance(getattr(manim, name, None), type)}


def _last_line(finding: Finding) -> str:
    if finding.verdict is Verdict.equal:
        return f"{finding.frames} frames"
    said = re.findall(r"^[\w.]*(?:Error|Exception)\w*: .*", finding.detail, re.MULTILINE)
    return (said[-1] if said else finding.detail.strip())[:200]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.fuzz", description=__doc__)
    parser.add_argument("--scenes", type=int, default=100, help="how many; default: 100")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first one; default: 1")
    parser.add_argument("--off", nargs="+", choices=sorted(BY_NAME), default=[], help="what to switch off")
    parser.add_argument("--found", type=Path, default=FOUND, help="folder for scenes that differ")
    parser.add_argument("--verbose", action="store_true", help="a line for each scene")
    return parser


if __name__ == "__main__":
    sys.exit(main())
