"""Whether two renders are of much the same code, told by a sketch of its lines that is as short for long code."""

from __future__ import annotations

import hashlib

from manimcast.spec import RenderSpec

LINES = 128
"""Lines that a sketch holds: those with the smallest digests, so that two sketches have much the same sample."""
ALIKE = 0.4
"""Share of lines that code must have in common; what every scene begins with makes up less."""

Sketch = tuple[int, ...]
"""Digests of lines, each once, the smallest first."""


def sketch_of(spec: RenderSpec) -> Sketch:
    """Return the sketch of the code of ``spec`` and of its files, without regard to indentation and order."""
    texts = (spec.code, *spec.files.values())
    lines = {line.strip() for text in texts for line in text.splitlines()} - {""}
    digests = (hashlib.blake2b(line.encode(), digest_size=6).digest() for line in lines)
    return tuple(sorted(int.from_bytes(digest) for digest in digests)[:LINES])


def are_alike(one: Sketch, other: Sketch) -> bool:
    """Whether the code of both has at least :data:`ALIKE` of its lines in common, as far as their samples tell."""
    sample = sorted({*one, *other})[:LINES]
    both = {*one} & {*other}
    return bool(sample) and sum(line in both for line in sample) >= ALIKE * len(sample)
