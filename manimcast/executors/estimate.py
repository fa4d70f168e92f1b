"""How long a render would take, judged by its dry run. The only place of the coefficients.

``seconds = START + step + frames drawn x (PIXEL x pixels) + frames held x (HELD x pixels) + CURVE x curves drawn``

``step`` is what stepping took in the dry run itself, so what a slow machine or a busy one costs there is in it. The
coefficients were fitted to renders at the default settings on one core of 2026; docs/internals/dry-run.md says how, and
how far off they were.
"""

from __future__ import annotations

from manimcast.inspection import Work

START = 0.06
"""Seconds until the first frame, and for the file at the end."""
PIXEL = 1.1e-8
"""Seconds for one pixel of a drawn frame: cleared, converted, encoded."""
HELD = 7e-9
"""Seconds for one pixel of a frame that repeats the one before."""
CURVE = 1.5e-6
"""Seconds for one Bezier curve of a drawn frame."""


def seconds_of(work: Work, pixels: int) -> float:
    """Return about how many seconds a render takes that has ``work`` in frames of ``pixels`` pixels."""
    drawing = pixels * (PIXEL * work.drawn + HELD * work.held) + CURVE * work.curves
    return round(START + work.step_seconds + drawing, 3)
