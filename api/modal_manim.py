"""The renderer on Modal, as an entry point for Modal's own command line.

The app itself is in manimcast/executors/modal/app.py.

modal deploy api/modal_manim.py     put it on Modal (`manimcast deploy` does the same, and reads .env)
modal run api/modal_manim.py        render a test scene once, without deploying
python api/modal_manim.py           render a test scene on the deployed app; fails when that fails
"""

from __future__ import annotations

import sys
from pathlib import Path

# From a clone that is not installed, too.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

try:
    from manimcast.cli.modal_trial import on_deployed_app, report
    from manimcast.executors.modal.app import app, compile_manim_animation, health_check, render_stream
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.startswith("manimcast"):
        raise
    raise SystemExit(f"{missing.name} is not installed. Run: pip install -r requirements.txt") from missing

__all__ = ["app", "compile_manim_animation", "health_check", "render_stream"]


@app.local_entrypoint()
def main() -> None:
    """Render a test scene in a container of this run."""
    raise SystemExit(report(compile_manim_animation.remote))


if __name__ == "__main__":
    raise SystemExit(on_deployed_app())
