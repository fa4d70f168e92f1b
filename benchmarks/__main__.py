"""`./dev bench`, or `python -m benchmarks`: the service beside the stock ``manim`` command, in pairs.

`./dev bench NAME` with one of the names in :data:`OTHERS` measures something else, see the module of that name.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import sys
from pathlib import Path

from benchmarks import machine
from benchmarks.runs import WAYS, Run, measure, scene_names
from benchmarks.stock import FLAGS
from benchmarks.table import as_markdown, summarize

RESULTS = Path(__file__).parent / "results"
OTHERS = ("convert", "dry_run", "encoder", "latex", "modal", "sandbox", "stepping")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, keep the raw results. Returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] and given[0] in OTHERS:
        # Each is imported only when it is asked for: some need manim, or the tests' control plane.
        other = importlib.import_module(f"benchmarks.{given[0]}")
        return int(other.main(given[1:]))
    chosen = _parser().parse_args(given)
    result = {
        "began": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "quality": chosen.quality,
        "repeat": chosen.repeat,
        "machine": machine.describe(),
        "load_before": machine.load(),
    }
    try:
        runs = measure(
            chosen.scenes, chosen.names or list(WAYS), quality=chosen.quality, repeat=chosen.repeat, tell=_tell
        )
    except RuntimeError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    result |= {"load_after": machine.load(), "runs": [run.as_json() for run in runs]}
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"{str(result['began']).replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\n{chosen.quality} quality, {chosen.repeat} rounds, median (worst):\n")
    print(as_markdown(summarize(runs)))
    print(f"\nload before {result['load_before']}, after {result['load_after']}; raw results: {path}")
    return 0


def _tell(run: Run) -> None:
    print(f"round {run.round + 1}  {run.scene:<12} {run.way:<6} {run.seconds:8.3f} s  load {run.load:.2f}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", type=_way, metavar="NAME", help=f"{' or '.join(WAYS)}; default: both")
    parser.add_argument("--scenes", nargs="+", choices=scene_names(), default=scene_names(), help="default: all")
    parser.add_argument("--quality", choices=list(FLAGS), default="low", help="default: low (480p15)")
    parser.add_argument("--repeat", type=_positive, default=5, help="rounds; default: 5")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the raw results")
    return parser


def _way(text: str) -> str:
    if text not in WAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(WAYS)}")
    return text


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
