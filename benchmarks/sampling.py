"""A profiler for renders: what runs is looked at every few milliseconds of CPU time, in every process of the render.

It samples instead of counting calls, so it hardly slows what it measures. Python hears of the timer between two of its
own instructions, however often it rang meanwhile. So a sample counts for the CPU time that its thread took since the
one before, and what C code takes is counted where it was called.
"""

from __future__ import annotations

import collections
import html
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

INTERVAL = 0.004
"""Seconds of CPU time between samples, of all threads of a process; kernels count in steps of about that."""

Stacks = collections.Counter[tuple[str, ...]]
"""Microseconds of CPU time for each stack of functions, outermost first."""

WIDTH, ROW, LEAST = 1200, 17, 0.002


class Sampler:
    """Samples this process, and those that it forks, into files in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stacks: Stacks = Stacks()
        self._exit = os._exit
        self._before: dict[int, int] = {}

    def start(self) -> None:
        """Begin. Forked processes begin anew, and write what they have when they end themselves."""
        os.register_at_fork(after_in_child=self._start_in_child)
        os._exit = self._leave  # type: ignore[assignment]
        signal.signal(signal.SIGPROF, self._sample)
        self._note_clocks()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def stop(self) -> None:
        """End, and write what was seen."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        os._exit = self._exit
        self._write()

    def _start_in_child(self) -> None:
        self._stacks, self._before = Stacks(), {}
        self._note_clocks()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def _leave(self, status: int) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._write()
        self._exit(status)

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        frames = sys._current_frames()
        if frame is not None:
            frames[threading.get_ident()] = frame
        spent = self._note_clocks()
        for thread, innermost in frames.items():
            if spent.get(thread):
                self._stacks[_stack(innermost)] += spent[thread]

    def _note_clocks(self) -> dict[int, int]:
        """Return what each thread has taken since the last time, in microseconds."""
        now = {}
        for thread in sys._current_frames():
            with suppress(OSError):  # it has just ended
                now[thread] = time.clock_gettime_ns(time.pthread_getcpuclockid(thread)) // 1000
        spent = {thread: taken - self._before.get(thread, 0) for thread, taken in now.items()}
        self._before = now
        return spent

    def _write(self) -> None:
        lines = [f"{';'.join(stack)} {count}" for stack, count in self._stacks.items()]
        (self._folder / f"{os.getpid()}.folded").write_text("\n".join(lines), encoding="utf-8")


def _stack(frame: FrameType | None) -> tuple[str, ...]:
    stack = []
    while frame is not None:
        stack.append(_name(frame))
        frame = frame.f_back
    return tuple(reversed(stack))


def _name(frame: FrameType) -> str:
    code = frame.f_code
    path = Path(code.co_filename)
    module = frame.f_globals.get("__name__") or path.stem
    return f"{module}.{code.co_qualname if sys.version_info >= (3, 11) else code.co_name}".replace(";", ":")


def read(folder: Path) -> Stacks:
    """Return what the files in ``folder`` have, of all processes together."""
    stacks = Stacks()
    for path in folder.glob("*.folded"):
        for line in path.read_text(encoding="utf-8").splitlines():
            stack, _, count = line.rpartition(" ")
            stacks[tuple(stack.split(";"))] += int(count)
    return stacks


def as_text(stacks: Mapping[tuple[str, ...], int], *, most: int = 25) -> str:
    """Return the functions with the largest shares of their own, and what they and all they call take, in percent."""
    total = sum(stacks.values()) or 1
    own: collections.Counter[str] = collections.Counter()
    whole: collections.Counter[str] = collections.Counter()
    for stack, count in stacks.items():
        own[stack[-1]] += count
        for name in set(stack):
            whole[name] += count
    lines = ["  own  whole  function"]
    lines += [f"{own[n] / total:5.1%} {whole[n] / total:6.1%}  {n}" for n, _ in own.most_common(most)]
    return "\n".join(lines)


def as_svg(stacks: Mapping[tuple[str, ...], int], title: str) -> str:
    """Return a flame graph: outermost functions at the bottom, widths are shares of the CPU time."""
    total = sum(stacks.values()) or 1
    boxes: list[tuple[int, float, float, str]] = []
    _boxes(sorted(stacks.items()), 0, 0.0, total, boxes)
    depth = max((level for level, *_ in boxes), default=0) + 1
    height = (depth + 2) * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="11"><text x="4" y="13">{html.escape(title)}</text>'
    ]
    for level, left, width, name in boxes:
        y = height - (level + 1) * ROW
        hue = sum(map(ord, name.partition(".")[0])) * 7 % 60
        shown = html.escape(name[-int(width * WIDTH / 6.2) :]) if width * WIDTH > 30 else ""
        parts.append(
            f'<g><title>{html.escape(name)} {width:.1%}</title><rect x="{left * WIDTH:.1f}" y="{y}" '
            f'width="{max(width * WIDTH - 0.5, 0.5):.1f}" height="{ROW - 1}" fill="hsl({hue},75%,65%)"/>'
            f'<text x="{left * WIDTH + 2:.1f}" y="{y + 12}">{shown}</text></g>'
        )
    return "\n".join([*parts, "</svg>"])


def _boxes(
    stacks: list[tuple[tuple[str, ...], int]],
    level: int,
    left: float,
    total: int,
    boxes: list[tuple[int, float, float, str]],
) -> None:
    """Add a box for each function at ``level``, and for what it calls above it."""
    grouped: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for stack, count in stacks:
        if len(stack) > level:
            grouped.setdefault(stack[level], []).append((stack, count))
    for name, group in grouped.items():
        width = sum(count for _, count in group) / total
        if width >= LEAST:
            boxes.append((level, left, width, name))
            _boxes(group, level + 1, left, total, boxes)
        left += width
