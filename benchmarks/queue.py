"""`./dev bench queue`: the queue and its events, on SQLite and on PostgreSQL, without the time that drawing takes.

Three parts (:mod:`benchmarks.queue_rates`, :mod:`benchmarks.queue_events`), each with a real service in a process of
its own, whose executor draws nothing (:mod:`benchmarks.queue_service`):

``submit``
    ``POST /v1/renders``, one after the other and 16 at once, into a queue in which nothing runs yet.
``claim``
    What a worker does with the table: look at the queue, claim the first, end it; by one worker and by four at once.
    And from end to end: renders that take no time, from the first submission to the last end.
``events``
    Listeners on one process, while a render runs that says something several times a second: one on that render; all of
    them on it; and one on it beside all of them on renders that wait, each on its own. For each: the processor time of
    the process, and how long events took from the time that they bear, which is before they are written, to each
    listener; at last the event that ends a render. Service, database and listeners share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import resource
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.queue_events import measure_events
from benchmarks.queue_process import Place
from benchmarks.queue_rates import measure_claim, measure_submit
from benchmarks.queue_table import as_markdown
from tests.postgres import running

RESULTS = Path(__file__).parent / "results"
PARTS = {"submit": measure_submit, "claim": measure_claim, "events": measure_events}


def main(arguments: list[str]) -> int:
    """Measure, print, keep the raw results. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="./dev bench queue", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--renders", type=int, default=500, help="renders of a part; default: 500")
    parser.add_argument("--listeners", type=int, default=2000, help="default: 2000")
    parser.add_argument("--databases", nargs="*", default=("sqlite", "postgresql"), choices=("sqlite", "postgresql"))
    parser.add_argument("--parts", nargs="*", default=("submit", "claim", "events"))
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the raw results")
    chosen = parser.parse_args(arguments)
    _raise_limit(2 * chosen.listeners + 200)
    began = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    result: dict[str, Any] = {"began": began, "arguments": arguments, "machine": machine.describe()}
    result["load_before"] = machine.load()
    for database in chosen.databases:
        with ExitStack() as stack:
            server = stack.enter_context(running(durable=True)) if database == "postgresql" else None
            found: dict[str, Any] = {}
            for part in chosen.parts:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-queue-")))
                place = Place(folder, server and server.fresh())
                found[part] = asyncio.run(PARTS[part](place, chosen))
                print(f"{database}, {part}: {json.dumps(found[part])}", flush=True)
        result[database] = found
    result["load_after"] = machine.load()
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"queue-{began.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    tables = as_markdown(result, chosen.databases)
    path.with_suffix(".md").write_text(tables, encoding="utf-8")
    print(f"\n{tables}\nload before {result['load_before']}, after {result['load_after']}; raw results: {path}")
    return 0


def _raise_limit(files: int) -> None:
    """Have as many connections as files may be open, here and in the services that are started."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), hard))
