"""How long a render would take, judged by its dry run. The only place of the coefficients.

``seconds = START + step + PIXEL x pixels x frames drawn + CURVE x plain curves drawn + SHADED x shaded curves drawn``

``step`` is what stepping took in the dry run itself, so what a slow machine or a busy one costs there is in it. The
coefficients were fitted to renders at the default settings on two cores of 2026; docs/internals/dry-run.md says how,
and how far off they were. Frames of a still picture that is held cost nothing that could be measured.
"""

from __future__ import annotations

from manimcast.inspection import Work

START = 0.06
"""Seconds until the first frame, and for the file at the end."""
PIXEL = 2.6e-9
"""Seconds for one pixel of a drawn frame: cleared, converted, encoded."""
CURVE = 8e-7
"""Seconds for one Bezier curve of a drawn frame."""
SHADED = 1.6e-5
"""Seconds for one that is shaded, and sorted by its depth."""


def seconds_of(work: Work, pixels: int) -> float:
    """Return about how many seconds a render takes that has ``work`` in frames of ``pixels`` pixels."""
    drawing = PIXEL * pixels * work.drawn + CURVE * (work.curves - work.shaded) + SHADED * work.shaded
    return round(START + work.step_seconds + drawing, 3)
