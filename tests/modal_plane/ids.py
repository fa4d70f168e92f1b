"""Names of things, shaped as Modal shapes them: a two-letter kind and 22 letters or digits.

The command line tells an app's id from its name by that shape.
"""

from __future__ import annotations

import itertools

_numbers = itertools.count(1)


def new_id(kind: str) -> str:
    """Return the next unused id of a kind: ``ap`` app, ``fu`` function, ``fc`` call, ``in`` input, ``ta`` container."""
    return f"{kind}-{next(_numbers):022d}"
