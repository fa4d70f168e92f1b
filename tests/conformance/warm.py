"""A warm process that renders one scene per request, each in a forked child of its own.

``python -m tests.conformance.warm stock`` draws with stock Manim, ``engine`` with the engine, ``dry`` runs scenes dry;
further words name what of the engine is switched off (``switches.py``). A request is one line of JSON on standard
input, an answer one line on standard output; the first line out says that it is ready, and for stock Manim names the
versions that decide pixels.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, TextIO

RENDER_SECONDS = 400
SIDES = {"stock": "stock", "engine": "subject", "dry": "dry"}


def serve(side: str, off: tuple[str, ...]) -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what scenes print must not look like an answer
    module = importlib.import_module(f"tests.conformance.{SIDES[side]}")
    _answer(answers, {"side": side, **module.prepare(off)})
    for line in sys.stdin:
        request = json.loads(line)
        directory = Path(tempfile.mkdtemp(prefix="conformance-"))
        try:
            _answer(answers, _in_child(module.run, request, directory))
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _in_child(run: Any, request: dict[str, Any], directory: Path) -> dict[str, Any]:
    result_path = directory / ".result.json"
    work = directory / "work"
    work.mkdir()
    child = os.fork()
    if child == 0:
        _render_and_exit(run, request, work, result_path)
    descriptor = os.pidfd_open(child)
    try:
        ended, _, _ = select.select([descriptor], [], [], RENDER_SECONDS)
        if not ended:
            os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(descriptor)
    if not ended:
        return {"error": f"not finished after {RENDER_SECONDS} s"}
    if not result_path.exists():
        return {"error": f"the process ended with status {status} and said nothing"}
    result: dict[str, Any] = json.loads(result_path.read_text(encoding="utf-8"))
    kept = work / "frame.npy"
    if request.get("keep_at") and kept.exists():
        shutil.copyfile(kept, request["keep_at"])
    return result


def _render_and_exit(run: Any, request: dict[str, Any], work: Path, result_path: Path) -> None:
    os.setpgid(0, 0)
    os.chdir(work)
    try:
        result = run(request, work)
    except BaseException as error:  # noqa: BLE001  whatever it is, the answer is what went wrong
        detail = getattr(error, "error", None)
        result = {"error": f"{traceback.format_exc()}\n{detail!r}"}
    with contextlib.suppress(BaseException):
        result_path.write_text(json.dumps(result), encoding="utf-8")
    os._exit(0)


def _answer(stream: TextIO, message: dict[str, Any]) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


if __name__ == "__main__":
    serve(sys.argv[1], tuple(sys.argv[2:]))
