"""Draws cases on both sides, keeps the reference frames, and says where the sides differ."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.conformance import switches
from tests.conformance.catalogue import Case
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
STATE = ROOT / ".state" / "conformance"
RECORD_VERSION = 3
"""Raise it when what is recorded changes."""

ANSWER_SECONDS = 260
ENVIRONMENT = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}


class Side:
    """A warm process of one side; starts when it is first asked. ``off`` names what of the engine is switched off."""

    def __init__(self, name: str, off: tuple[str, ...] = ()) -> None:
        self.name = name
        self._off = off
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None

    def render(
        self,
        case: Case,
        *,
        keep: str | None = None,
        keep_at: Path | None = None,
        lossless: bool = False,
        **further: Any,
    ) -> dict[str, Any]:
        """Render ``case`` and return what was recorded, or what went wrong under ``error``.

        ``keep`` is the digest of a frame to save as ``keep_at``. With ``lossless`` the file is encoded so that the
        planes handed to the encoder can be recorded as well.
        """
        self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        request = {
            "code": case.code,
            "scene": case.scene,
            "width": case.view.width,
            "height": case.view.height,
            "rate": case.view.rate,
            "frame": case.view.frame,
            "options": case.view.options,
            "renderer": case.view.renderer,
            "lossless": lossless,
            "keep": keep,
            "keep_at": str(keep_at) if keep_at else None,
            **further,
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def start(self) -> None:
        """Start the process unless it runs."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.conformance.warm", self.name, *self._off],
                cwd=ROOT,
                env={**os.environ, **ENVIRONMENT, **switches.environment(self._off)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.ready = self._read()

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._process = None

    def _read(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        # One answer per request, so nothing of an answer can wait in the stream's own buffer.
        if not select.select([self._process.stdout], [], [], ANSWER_SECONDS)[0]:
            self._process.kill()
            raise TimeoutError(f"the {self.name} side did not answer within {ANSWER_SECONDS} s")
        line = self._process.stdout.readline()
        if not line:
            raise ConnectionError(f"the {self.name} side ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Reference:
    """Stock Manim's frames, kept on disk for the versions that drew them."""

    def __init__(self, stock: Side, state: Path = STATE) -> None:
        self._stock = stock
        self._state = state

    def of(self, case: Case, *, lossless: bool = False) -> dict[str, Any]:
        """Return what stock Manim hands to its encoder for ``case``; with ``lossless``, its ``planes`` as well."""
        path = self._path(case, lossless=lossless)
        if path.exists():
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
        record = self._stock.render(case, lossless=lossless)
        if "error" not in record:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
                json.dump({**record, "case": case.name}, file)
            Path(file.name).replace(path)
        return record

    def _path(self, case: Case, *, lossless: bool) -> Path:
        self._stock.start()
        engine = json.dumps([RECORD_VERSION, self._stock.ready["fingerprint"]], sort_keys=True)
        view = [case.view.width, case.view.height, case.view.rate, case.view.frame, case.view.renderer, lossless]
        name = json.dumps([case.code, case.scene, view])
        return self._state / _digest(engine) / f"{_digest(name)}.json"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def frames(record: dict[str, Any]) -> list[str]:
    """Return the digest of each frame in order."""
    return in_order(record["runs"])


def in_order(runs: list[list[Any]]) -> list[str]:
    """Return each digest of ``[digest, count]`` as often as it counts."""
    return list(itertools.chain.from_iterable([found] * count for found, count in runs))


def first_difference(expected: list[str], actual: list[str]) -> int | None:
    """Return the index of the first frame that is not the same on both sides, or is there on one side only."""
    for index, (left, right) in enumerate(zip(expected, actual, strict=False)):
        if left != right:
            return index
    return None if len(expected) == len(actual) else min(len(expected), len(actual))


def explain(case: Case, index: int, stock: Side, engine: Side) -> str:
    """Draw frame ``index`` on both sides again and return how they differ, with where to look at the two."""
    folder = STATE / "differences" / case.name.replace(":", "-").replace("@", "-")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "stock.npy", folder / "engine.npy"]
    for path, side in zip(paths, (stock, engine), strict=True):
        path.unlink(missing_ok=True)
        drawn = frames(side.render(case))
        if index < len(drawn):
            side.render(case, keep=drawn[index], keep_at=path)
    if not all(path.exists() for path in paths):
        missing = [path.stem for path in paths if not path.exists()]
        return f"frame {index} is not drawn by: {', '.join(missing)}"
    left, right = (np.load(path) for path in paths)
    return f"first difference in frame {index}: {compare(left, right)} (both in {folder.relative_to(ROOT)})"


def compare(left: np.ndarray, right: np.ndarray) -> str:
    """Return in words how two frames differ."""
    if left.shape != right.shape:
        return f"{left.shape} against {right.shape}"
    apart = np.abs(left.astype(np.int16) - right.astype(np.int16)).max(axis=-1)
    changed = np.argwhere(apart)
    if not len(changed):
        return "none when drawn again: one side is not deterministic"
    (top, first), (bottom, last) = changed.min(axis=0), changed.max(axis=0)
    return (
        f"{len(changed)} of {apart.size} pixels differ, by up to {apart.max()}, "
        f"in rows {top}-{bottom}, columns {first}-{last}"
    )
