"""What kinds of work a render's CPU time goes into, by the functions that are seen in its profile."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence

KINDS = {
    "x264": ("segment_file.SegmentFile._encode", "segment_file.SegmentFile._flush"),
    "changes": ("engine.changes.", "segment_file.", "engine.h264."),
    "conversion": ("engine.planes.", "engine.convert."),
    "cairo": ("patches.camera._display_plain",),
    "drawing": ("patches.frame.", "patches.camera.", "camera.capture_mobjects", "frames.Play.draw_frame"),
    "text": ("svg_mobject.", "text_mobject.", "patches.text.", "patches.tex.", "tex_mobject.", "engine.outlines."),
    "copies": ("patches.copying.",),
    "steps": ("Scene.update_to_time", "Scene.begin_animations", "Scene.compile_animation_data", "director._end"),
    "scene": ("construct",),
    "file": ("engine.assemble.", "engine.join.", "engine.poster.", "engine.packets."),
}
"""Each with parts of names of functions. A stack counts for the kind of the innermost function that is in any.

``x264`` is the encoder; ``changes`` the native coder and what writes files; ``cairo`` filling and stroking paths, with
projection and shading; ``drawing`` what is around that; ``text`` making text and formulas; ``steps`` animations,
updaters and what they call; ``scene`` all else that the scene's code does.
"""
OTHER = "rest"


def kind_of(stack: Sequence[str]) -> str:
    """Return the kind of work that a stack of functions, outermost first, is at."""
    for name in reversed(stack):
        for kind, parts in KINDS.items():
            if any(part in name for part in parts):
                return kind
    return OTHER


def shares(stacks: Mapping[tuple[str, ...], int]) -> dict[str, float]:
    """Return the share of each kind, from 0 to 1, in the order of :data:`KINDS`."""
    total = sum(stacks.values()) or 1
    found: collections.Counter[str] = collections.Counter()
    for stack, count in stacks.items():
        found[kind_of(stack)] += count
    return {kind: found[kind] / total for kind in (*KINDS, OTHER)}


def table(rows: Mapping[str, Mapping[tuple[str, ...], int]]) -> str:
    """Return a Markdown table: for each title its CPU seconds, and the shares of all kinds in percent."""
    kinds = (*KINDS, OTHER)
    lines = ["| scene | CPU, s | " + " | ".join(kinds) + " |", "|---|---:|" + "---:|" * len(kinds)]
    for title, stacks in rows.items():
        cells = [f"{share:.0%}" if share >= 0.005 else "" for share in shares(stacks).values()]
        lines.append(f"| {title} | {sum(stacks.values()) / 1e6:.2f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
