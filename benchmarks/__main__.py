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

from benchmarks import cores, fidelity, machine, reach, special
from benchmarks.catalogue import CLASSES, QUALITIES, names, of_class
from benchmarks.runs import WAYS, Run, measure
from benchmarks.table import as_markdown, summarize

RESULTS = Path(__file__).parent / "results"
OTHERS = ("convert", "dry_run", "encoder", "latex", "modal", "profile", "queue", "sandbox", "stepping")
DEFAULT_WAYS = ("warm", "medium")
PARTS = ("pairs", "special", "cores", "quality")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the tables, keep the raw results. Returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] and given[0] in OTHERS:
        # Each is imported only when it is asked for: some need manim, or the tests' control plane.
        other = importlib.import_module(f"benchmarks.{given[0]}")
        return int(other.main(given[1:]))
    chosen = _parser().parse_args(given)
    scenes = chosen.scenes or (list(of_class(*chosen.classes)) if chosen.classes else names())
    qualities = chosen.quality or list(QUALITIES)
    result = {
        "began": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "arguments": given,
        "machine": machine.describe(),
        "load_before": machine.load(),
    }
    try:
        tables = _measure(chosen, scenes, qualities, result)
    except RuntimeError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    result["load_after"] = machine.load()
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"{str(result['began']).replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    print("", *tables, sep="\n\n")
    print(f"\nload before {result['load_before']}, after {result['load_after']}; raw results: {path}")
    return 0


def _measure(
    chosen: argparse.Namespace, scenes: list[str], qualities: list[str], result: dict[str, object]
) -> list[str]:
    """Measure what was asked for, put the raw numbers into ``result``, and return the tables as Markdown."""
    runs: list[Run] = []
    tables = []
    rows: list[reach.Row] = []
    if "pairs" in chosen.parts:
        further = ("--disable_caching", "--progress_bar", "none") if chosen.bare_cli else ()
        runs = measure(
            scenes,
            chosen.names or list(DEFAULT_WAYS),
            qualities=qualities,
            repeat=chosen.repeat,
            tell=_tell_run,
            stock_options=further,
        )
        result["runs"] = [run.as_json() for run in runs]
        summaries = summarize(runs)
        for quality in qualities:
            of_it = [summary for summary in summaries if summary.quality == quality]
            tables.append(f"{QUALITIES[quality]}, {chosen.repeat} rounds, median (worst):\n\n{as_markdown(of_it)}")
        rows += reach.rows(summaries)
    if "special" in chosen.parts:
        lines, raw = special.measure(qualities, _tell)
        result["special"] = raw
        rows += lines
    if "cores" in chosen.parts:
        line, raw = cores.measure(scenes, qualities, _tell)
        result["cores"] = raw
        rows.append(line)
    if rows:
        tables.append(reach.as_markdown(rows))
    if "quality" in chosen.parts:
        found = fidelity.measure(scenes, qualities, _tell)
        result["fidelity"] = [one.as_json() for one in found]
        tables.append(fidelity.as_markdown(found))
    return tables


def _tell_run(run: Run) -> None:
    print(
        f"{run.quality:<6} round {run.round + 1}  {run.scene:<12} {run.way:<6} {run.seconds:8.3f} s"
        f"  CPU {run.cpu:8.3f} s  load {run.load:.2f}",
        flush=True,
    )


def _tell(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        type=_way,
        metavar="NAME",
        help=f"of {', '.join(WAYS)}; default: {' and '.join(DEFAULT_WAYS)}",
    )
    parser.add_argument("--scenes", nargs="+", choices=names(), help="default: all")
    parser.add_argument("--class", nargs="+", choices=list(CLASSES), dest="classes", help="scenes of these classes")
    parser.add_argument("--quality", nargs="+", choices=list(QUALITIES), help="default: all")
    parser.add_argument("--repeat", type=_positive, default=3, help="rounds; default: 3")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS[:3], help="default: all but quality, which takes long"
    )
    parser.add_argument(
        "--bare-cli", action="store_true", help="run the manim command without its cache and progress bars"
    )
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
