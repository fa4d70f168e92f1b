"""Records which system calls renders make: ``python -m tests.sandbox.record_syscalls [--quick] [--filtered]``.

Scenes are rendered one after another by a warm process that runs under ``strace -f``. Printed is each call that a
forked render, or a program that it started, made: how often, and by whom; and which of them the filter refuses,
with the arguments it refuses. ``--quick`` leaves out most of the conformance catalogue. ``--filtered`` puts the warm
process under the filter, so that one sees what becomes of the scenes. strace is a package of that name.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from manimcast.sandbox.host.seccomp import program
from manimcast.sandbox.host.syscalls import PERMITTED
from manimcast.sandbox.host.syscalls_refused import REFUSED
from tests.conformance.catalogue import cases
from tests.conformance.harness import ENVIRONMENT, ROOT
from tests.sandbox.bpf import ALLOW, ARCHITECTURES, evaluate
from tests.sandbox.workloads import SMALL, WORKLOADS, Workload

LINE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<text>[^)<]*)")
ENDED = re.compile(r"(?P<pid>\d+) .*\b(?:clone3?|v?fork)\b.*= (?P<value>0x[0-9a-f]+|\d+)$")
NUMBER = re.compile(r"\b(?:0x[0-9a-f]+|\d+)\b")
WARM = "python"
QUICK = 15
MACHINE = platform.machine()


def workloads(*, quick: bool) -> Iterable[Workload]:
    """Yield what is rendered: every way in which a render uses the system, then scenes of the catalogue."""
    yield from WORKLOADS
    found = [case for case in cases() if case.view.name == "low"]
    for case in found[:: max(1, len(found) // QUICK)] if quick else found:
        yield Workload(case.name, case.code, {"scene": case.scene, **SMALL})


def render(chosen: Iterable[Workload], log: Path, *, filtered: bool) -> None:
    """Render ``chosen`` under strace, which writes to ``log``; say what became of each."""
    process = subprocess.Popen(
        [
            *(
                "strace",
                "-f",
                "-qq",
                "-s",
                "300",
                "-e",
                "raw=!execve",
                "-e",
                "signal=none",
                "-o",
                str(log),
                sys.executable,
            ),
            *(("-m", "tests.sandbox.filtered", sys.executable) if filtered else ()),
            *("-m", "tests.conformance.warm", "engine"),
        ],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdout.readline()  # it is warm
        for workload in chosen:
            options = dict(workload.options)
            request = {"code": workload.code, "scene": options.pop("scene", None), "options": options}
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            print(f"{workload.name}: {_last_line(answer)}", flush=True)
        process.stdin.close()


def _last_line(answer: dict[str, Any]) -> str:
    return str(answer["error"]).strip().splitlines()[-1][:300] if "error" in answer else "rendered"


def report(log: Path) -> None:
    """Print who made which call how often, and which calls the filter refuses."""
    numbers = {call.name: call.number(MACHINE) for group in (*PERMITTED, *REFUSED) for call in group.calls}
    code, architecture = program(), ARCHITECTURES[MACHINE]
    made: defaultdict[str, Counter[str]] = defaultdict(Counter)
    refused: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for who, name, arguments in _calls(log):
        made[name][who] += 1
        number = numbers.get(name)
        if number is None or evaluate(code, architecture, number, arguments) != ALLOW:
            # Addresses say nothing.
            shown = ", ".join("ADDRESS" if value > 1 << 40 else hex(value) for value in arguments)
            refused[f"{name}({shown})"][who] += 1
    print(f"\n{len(made)} system calls:")
    for name in sorted(made):
        print(f"  {name:18} {sum(made[name].values()):8}  {_who(made[name])}")
    print("\nrefused by the filter:")
    for text, by in sorted(refused.items()):
        print(f"  {text}  {_who(by)}")


def _calls(log: Path) -> Iterator[tuple[str, str, list[int]]]:
    """Yield the calls of renders: program, name, arguments."""
    programs: dict[str, str] = {}
    executing: dict[str, str] = {}
    warm = None
    with log.open(errors="replace") as lines:
        for line in lines:
            if (ended := ENDED.match(line)) and ended["value"] != "0":
                programs.setdefault(str(int(ended["value"], 0)), programs.get(ended["pid"], WARM))
            if not (found := LINE.match(line)):
                if "execve resumed" in line and line.rstrip().endswith("= 0"):
                    pid = line.split()[0]
                    programs[pid] = executing[pid]
                continue
            pid = found["pid"]
            warm = warm or pid
            if pid == warm:
                continue
            if found["name"] != "execve":
                arguments = [int(value, 0) for value in NUMBER.findall(found["text"])]
                yield programs.get(pid, WARM), found["name"], arguments
            else:
                yield programs.get(pid, WARM), "execve", []
                executing[pid] = Path(found["text"].split('"')[1]).name
                if line.rstrip().endswith("= 0"):
                    programs[pid] = executing[pid]


def _who(counts: Counter[str]) -> str:
    names = [name for name, _ in counts.most_common(12)]
    return ", ".join(names) + (", .." if len(counts) > len(names) else "")


def main() -> None:
    """Record and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--filtered", action="store_true")
    parser.add_argument("--keep", type=Path, help="where to keep strace's output")
    arguments = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("strace is missing: apt-get install strace")
    with tempfile.TemporaryDirectory() as folder:
        log = arguments.keep or Path(folder) / "strace"
        render(workloads(quick=arguments.quick), log, filtered=arguments.filtered)
        report(log)


if __name__ == "__main__":
    main()
