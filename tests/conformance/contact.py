"""``python -m tests.conformance.contact OUT.png [NAME ...]``: the last-but-few frames of scenes, to look at.

Each picture is a frame that stock Manim drew, three fifths into the scene.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.conformance.catalogue import LOW, cases
from tests.conformance.harness import Reference, Side, frames

COLUMNS, WIDTH, HEIGHT = 8, 240, 150


def main(target: Path, patterns: list[str]) -> None:
    """Draw the sheet."""
    chosen = [case for case in cases() if case.view is LOW and (not patterns or any(p in case.name for p in patterns))]
    rows = -(-len(chosen) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * WIDTH, rows * HEIGHT), "#303030")
    draw = ImageDraw.Draw(sheet)
    side = Side("stock")
    try:
        for place, case in enumerate(chosen):
            record = Reference(side).of(case)
            corner = (place % COLUMNS * WIDTH, place // COLUMNS * HEIGHT)
            draw.text((corner[0] + 4, corner[1] + HEIGHT - 13), case.name, fill="white")
            if "error" in record:
                print(case.name, record["error"], sep="\n")
                continue
            count = len(frames(record))
            with tempfile.NamedTemporaryFile(suffix=".npy") as file:
                if count:
                    side.render(case, keep=frames(record)[count * 3 // 5], keep_at=Path(file.name))
                    picture = Image.fromarray(np.load(file.name)).convert("RGB")
                    picture.thumbnail((WIDTH - 4, HEIGHT - 16))
                    sheet.paste(picture, corner)
            print(f"{case.name}: {count} frames", flush=True)
    finally:
        side.stop()
    sheet.save(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
