"""`python -m benchmarks.construct SCENE.py`: the seconds that a scene's own ``construct`` takes, plays skipped.

Stock Manim runs it twice, each play only to its end without its frames, in a process that has imported everything; the
second time is printed. A dry run is measured against this.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

from manim.cli.render.commands import render as render_command
from manim.manager import Manager


def main(path: str) -> None:
    """Run it."""
    seconds: list[float] = []
    construct = Manager.construct

    def timed(self: Manager) -> None:
        began = time.perf_counter()
        construct(self)
        seconds.append(time.perf_counter() - began)

    Manager.construct = timed
    with tempfile.TemporaryDirectory() as media:
        for _ in range(2):
            arguments = ["-ql", "-s", "--media_dir", media, "--silent", "--progress_bar", "none", path]
            render_command.main(args=arguments, standalone_mode=False)
    print(seconds[-1])


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(answers, "w")
    main(sys.argv[1])
    sys.stdout.flush()
