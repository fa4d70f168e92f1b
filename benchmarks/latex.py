"""`./dev bench latex`: what an expression costs, with and without a dumped preamble, and a scene with twenty of them.

First the programs by themselves, in turn: processor time of latex and dvisvgm for one expression, read from its
beginning and started from a format of its preamble. Then a whole run in a confined child, and an answer from the cache.
Then a scene with twenty different expressions, none of which is in the cache: as it was, with formats, and with formats
and a look ahead; each in turn, with a cache of its own that is empty.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine
from manimcast import wire
from manimcast.cache import EntryStore
from manimcast.engine import format as formats
from manimcast.engine.typeset import typeset
from manimcast.executors.confined import bounds_of, limits_of, render_in_child
from manimcast.executors.local import ground_of
from manimcast.executors.preambles import Format, Preambles
from manimcast.executors.tex_child import dump_in_child, typeset_in_child
from manimcast.executors.typeset import Typesetter, limits
from manimcast.sandbox.host.zygote import Zygote
from manimcast.settings import MIB, Settings
from manimcast.spec import RenderSpec
from manimcast.tex import FORMAT, TexPreamble

RESULTS = Path(__file__).parent / "results"
EXPRESSIONS = 20
SCENE = r"""
class Twenty(Scene):
    def construct(self):
        last = None
        for n in range(COUNT):
            formula = MathTex(rf"\int_0^{{{n}}} x^{{{n}}} \, dx = \frac{{{n}}}{{b_{{{n}}}}}")
            self.play(FadeIn(formula) if last is None else ReplacementTransform(last, formula), run_time=0.2)
            last = formula
""".replace("COUNT", str(EXPRESSIONS))
PREAMBLE = r"""\documentclass[preview]{standalone}
\usepackage[english]{babel}
\usepackage{amsmath}
\usepackage{amssymb}
"""
WAYS = {"as it was": (False, False), "formats": (True, False), "formats and look ahead": (True, True)}


def main(arguments: list[str]) -> int:
    """Measure, print the tables, keep the raw results. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="./dev bench latex", description=__doc__)
    parser.add_argument("--repeat", type=int, default=20, help="rounds of single expressions; default: 20")
    parser.add_argument("--renders", type=int, default=5, help="rounds of rendering; default: 5")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the raw results")
    chosen = parser.parse_args(arguments)
    before = machine.load()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101  the user that renders run as works in it
        programs = _programs(Path(folder), chosen.repeat)
        result: dict[str, Any] = {"programs": programs} | asyncio.run(
            _measure(Path(folder), chosen.repeat, chosen.renders)
        )
    ended = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    result |= {"ended": ended, "machine": machine.describe(), "load_before": before, "load_after": machine.load()}
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"latex-{ended.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\nOne expression, milliseconds, median (least):\n")
    print(_table({**{f"{name}, processor time": found for name, found in programs.items()}, **result["runs"]}))
    print(f"\n{EXPRESSIONS} expressions in one scene, seconds, median (least):\n\n{_table(result['scenes'])}")
    print(f"\nload before {before}, after {result['load_after']}; raw results: {path}")
    return 0


def _job(number: int, tag: str = "") -> wire.TexJob:
    body = rf"\begin{{align*}}\int_0^{{{number}}} x^2 \, dx = \frac{{a}}{{b}} {tag}\end{{align*}}"
    source = f"{PREAMBLE}\\begin{{document}}\n{body}\n\\end{{document}}"
    return wire.TexJob(source=source, compiler="latex", output_format=".dvi", limits=limits(60))


def _preamble() -> wire.FormatJob:
    preamble = TexPreamble.of(_job(0))
    assert preamble is not None
    return wire.FormatJob(**preamble.model_dump(), limits=limits(60))


def _programs(place: Path, rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of processor time that latex and dvisvgm take, without a sandbox around them."""
    folder = place / "format"
    folder.mkdir()
    began = _spent()
    if not formats.dump(_preamble(), folder):
        raise SystemExit("the preamble cannot be dumped: is LaTeX installed?")
    found: dict[str, list[float]] = {
        "dumping the preamble": [_spent() - began],
        "from its beginning": [],
        "from a format": [],
    }
    for number in range(rounds):
        for name, dumped in (("from its beginning", None), ("from a format", folder / FORMAT)):
            run = place / f"run-{number}-{dumped is None:d}"
            run.mkdir()
            began = _spent()
            assert typeset(_job(number), run, dumped).svg is not None
            found[name].append(_spent() - began)
    return found


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


async def _measure(place: Path, rounds: int, renders: int) -> dict[str, Any]:
    settings = Settings(_env_file=None, data_dir=place)
    ground = await ground_of(settings)
    if ground.lacks:
        raise SystemExit(f"this host does not give the full sandbox: {ground.missing()}")
    zygote = await Zygote.start(ground, bounds_of(settings))
    try:
        preambles = await _prepared(zygote, place)
        runs = await _runs(zygote, place, preambles, rounds)
        scenes: dict[str, list[float]] = {name: [] for name in WAYS}
        for number in range(renders):
            for name, (dumped, ahead) in WAYS.items():
                store = EntryStore(place / "cache" / f"{number}-{len(name)}", 64 * MIB)
                typesetter = Typesetter(
                    store, seconds=60, at_once=settings.slots, preambles=preambles if dumped else None, ahead=2
                )
                if not ahead:
                    typesetter.foresee = _nothing  # type: ignore[method-assign]
                scenes[name].append(await _render(zygote, place / f"out-{number}-{len(name)}", settings, typesetter))
    finally:
        await zygote.kill()
    return {"runs": runs, "scenes": scenes}


async def _nothing(*_: object) -> None:
    """Foresee nothing."""


async def _prepared(zygote: Zygote, place: Path) -> Preambles:
    """Return formats among which that of the preamble is."""
    preambles = Preambles(EntryStore(place / "formats", 256 * MIB), limits(60))
    run, dump = partial(typeset_in_child, zygote, beside=place), partial(dump_in_child, zygote, beside=place)
    while await preambles.find(_job(0), zygote.fingerprint) is None:
        preambles.learn(_job(0), zygote.fingerprint, run, dump)
        await preambles.settle()
    return preambles


async def _runs(zygote: Zygote, place: Path, preambles: Preambles, rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds that a confined run takes from question to answer, and an answer from the cache."""
    dumped = await preambles.find(_job(0), zygote.fingerprint)
    assert dumped is not None
    cached = Typesetter(EntryStore(place / "cached", 64 * MIB), seconds=60, at_once=1)
    run = partial(typeset_in_child, zygote, beside=place)
    await cached.typeset(_job(0), zygote.fingerprint, run)
    ways: dict[str, Callable[[], Any]] = {
        "confined, from its beginning": lambda: run(_job(1)),
        "confined, from a format": lambda: _resumed(run, dumped),
        "from the cache": lambda: cached.typeset(_job(0), zygote.fingerprint, run),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            done = await way()
            found[name].append((time.perf_counter() - began) * 1000)
            assert done.svg is not None
    return found


async def _resumed(run: Callable[..., Any], dumped: Format) -> wire.TexDone:
    done: wire.TexDone = await run(_job(1), dumped)
    assert done.resumed
    return done


async def _render(zygote: Zygote, into: Path, settings: Settings, typesetter: Typesetter) -> float:
    await asyncio.to_thread(into.mkdir)
    job = wire.Job(spec=RenderSpec(code=SCENE, quality="low_quality"), limits=limits_of(settings))
    began = time.perf_counter()
    stream = render_in_child(zygote, job, render_id="it", into=into, timeout=200, typesetter=typesetter)
    last = [message async for message in stream][-1]
    assert isinstance(last, wire.Finished), last
    return time.perf_counter() - began


def _table(columns: dict[str, list[float]]) -> str:
    lines = ["| what | median (least) |", "|---|---:|"]
    for name, values in columns.items():
        digits = 2 if max(values) < 100 else 0
        lines.append(f"| {name} | {statistics.median(values):.{digits}f} ({min(values):.{digits}f}) |")
    return "\n".join(lines)
