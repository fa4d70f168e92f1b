"""The same scene run dry: what it tells, in the words of a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from manimcast import wire
from manimcast.engine.inspection import inspect
from manimcast.engine.patches import tex
from manimcast.engine.warm import warm
from manimcast.inspection import Play, SceneWarning, Subcaption
from manimcast.spec import RenderSpec, Section
from tests.conformance.subject import LIMITS, typeset_apart


class _PixelsRead(BaseException):
    """The scene wants to read a frame."""


def prepare(_off: tuple[str, ...]) -> dict[str, Any]:
    """Warm up as the service's own zygote does."""
    warm()
    return {}


def run(request: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Run the scene in ``directory``, which is the working directory, and return what it tells."""
    spec = RenderSpec(code=request["code"], scene=request["scene"], **request["options"])
    tex.use_typesetter(typeset_apart)
    notes: list[Any] = []

    def send(message: wire.Loaded | wire.Noted) -> None:
        wire.parse_spoken(wire.encode(message)[wire.HEADER.size :])
        if isinstance(message, wire.Noted):
            notes.append(message.note)

    def reads_pixels() -> NoReturn:
        raise _PixelsRead

    draws = bool(request.get("draws"))
    measured = inspect(spec, LIMITS, directory, send, reads_pixels=reads_pixels, draws=draws)
    if measured.error is not None and measured.error.exception == _PixelsRead.__name__:
        return {"reads_pixels": True}

    def told(kind: type) -> list[dict[str, Any]]:
        return [note.model_dump(mode="json") for note in notes if isinstance(note, kind)]

    return {
        "reads_pixels": False,
        "measured": measured.model_dump(mode="json"),
        "plays": told(Play),
        "sections": told(Section),
        "subcaptions": told(Subcaption),
        "warnings": told(SceneWarning),
    }
