"""A render as one plain answer, for callers of ``compile_manim_animation`` who follow no stream."""

from __future__ import annotations

import time
from typing import Any

from pydantic import ValidationError

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.confined import limits_of
from manimcast.executors.modal.container import Container, folder
from manimcast.executors.modal.protocol import Call
from manimcast.settings import Settings
from manimcast.spec import RenderSpec, SceneError

Answer = dict[str, Any]

ARGUMENTS = {"code": "python_code", "scene": "class_name", "engine": "rendering_engine"}
"""What the caller of ``compile_manim_animation`` knows a spec's fields as."""


def compile_scene(container: Container, request: dict[str, Any]) -> Answer:
    """Render what ``request`` asks for in ``container``; scene failures are answers, not exceptions.

    Raises :class:`RuntimeError` when the container is at fault, so that Modal tries again in another one.
    """
    began = time.monotonic()
    settings = Settings()
    try:
        spec = RenderSpec.model_validate({name: value for name, value in request.items() if value is not None})
    except ValidationError as invalid:
        lines = []
        for item in invalid.errors(include_url=False, include_input=False, include_context=False):
            first, *rest = map(str, item["loc"] or ("request",))
            where = ".".join([ARGUMENTS.get(first, first), *rest])
            lines.append(f"{where}: {item['msg'].removeprefix('Value error, ')}")
        return _answer(began, error="; ".join(lines), details=lines)
    call = Call(
        token="", spec=spec, limits=limits_of(settings), timeout=min(spec.timeout or 1e9, settings.render_timeout)
    )
    updates: list[dict[str, int]] = []
    logs: list[str] = []
    with folder() as into:
        try:
            for message in container.messages(call, into):
                match message:
                    case wire.Playing(index=index):
                        _note(updates, index, 0)
                    case wire.Progressed(progress=progress):
                        _note(updates, progress.animation_index, progress.animation_percent)
                    case wire.Logged(text=text):
                        logs.append(text)
                    case wire.Failed(error=error):
                        return _failed(began, error, progress_updates=updates, logs=logs)
                    case wire.Finished(report=report):
                        return _answer(
                            began,
                            success=True,
                            video_bytes=(into / report.video.name).read_bytes(),
                            duration=report.duration,
                            report=report.model_dump(mode="json"),
                            progress_updates=updates,
                            logs=logs,
                        )
        except ExecutorError as fault:
            raise RuntimeError(f"the container could not render: {fault}") from fault
    raise RuntimeError("the render ended without a word")


def _note(updates: list[dict[str, int]], index: int, percentage: int) -> None:
    update = {"animationIndex": index, "percentage": percentage}
    if not updates or updates[-1] != update:
        updates.append(update)


def _failed(began: float, error: SceneError, **fields: object) -> Answer:
    details = [error.message, *(error.traceback or "").splitlines()]
    return _answer(began, error=error.message, details=details, scene_error=error.model_dump(mode="json"), **fields)


def _answer(began: float, **fields: object) -> Answer:
    nothing: Answer = {
        "success": False,
        "video_bytes": None,
        "progress_updates": [],
        "duration": None,
        "logs": [],
        "error": None,
        "details": [],
        "scene_error": None,
        "report": None,
    }
    return nothing | fields | {"seconds": round(time.monotonic() - began, 3)}
