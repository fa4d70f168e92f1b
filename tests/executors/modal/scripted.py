"""An app that answers as the renderer's does, but says what it is told to: a spec's code is a script, as JSON.

A script is a list of steps: an item without its run and number, in which ``{"hex": digits}`` stands for bytes; or one
of ``{"wait": path}`` (until that file is there) and ``{"chunks": name, "of": bytes, "count": n}``. The functions are
sent without this module, which no container has.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import modal

app = modal.App("scripted", image=modal.Image.debian_slim(python_version="3.11"), include_source=False)
options: dict[str, Any] = {
    "env": {name: os.environ.get(name, "") for name in ("SCRIPTED_VERSION", "SCRIPTED_HOLD")},
    "timeout": 600,
    "serialized": True,
    "restrict_modal_access": True,
    "_experimental_restrict_output": True,
}


@app.function(**options, single_use_containers=True)
def render_stream(call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Say what the script says. Every item gets its run and its number."""

    run, number = uuid.uuid4().hex, 0

    def numbered(item: dict[str, Any]) -> dict[str, Any]:
        nonlocal number
        made = {"run": run, "seq": number, **item}
        number += 1
        return {
            key: bytes.fromhex(value["hex"]) if isinstance(value, dict) and "hex" in value else value
            for key, value in made.items()
        }

    for step in json.loads(call["spec"]["code"]):
        if "wait" in step:
            while not Path(step["wait"]).exists():
                time.sleep(0.02)
        elif "chunks" in step:
            for _ in range(step["count"]):
                yield numbered({"type": "chunk", "name": step["chunks"], "data": bytes(step["of"])})
        else:
            yield numbered(step)


@app.function(**options)
def health_check() -> dict[str, Any]:
    """Tell which deploy this is, once the file ``SCRIPTED_HOLD`` is there, if there is to be one."""

    hold = os.environ["SCRIPTED_HOLD"]
    while hold and not Path(hold).exists():
        time.sleep(0.02)
    return {"status": "healthy", "manim_version": os.environ["SCRIPTED_VERSION"], "facts": {"layers": "a,b"}}
