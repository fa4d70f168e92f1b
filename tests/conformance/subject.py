"""What is tested: the same scene, posted as code, through the engine; its TeX is typeset apart from it."""

from __future__ import annotations

import base64
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from manim import config

from manimcast import wire
from manimcast.engine import configure
from manimcast.engine.parallel.switches import Switches
from manimcast.engine.patches import tex
from manimcast.engine.render import render
from manimcast.engine.typeset import typeset
from manimcast.engine.warm import warm
from manimcast.spec import OutputRole, RenderReport, RenderSpec
from manimcast.tex import TexLimits
from tests.assets.samples import use_of
from tests.conformance import switches
from tests.conformance.record import LOSSLESS, Recorder, decoded, planes

LIMITS = wire.Limits(
    duration=120, frames=7200, pixels=3840 * 2160, frame_rate=120, file_bytes=512 * 1024 * 1024, drawers=2
)

_off: dict[str, dict[str, Any]] = {"limits": {}, "may": {}}
"""What of the limits and of what the engine may do is otherwise in this process."""


def prepare(off: tuple[str, ...]) -> dict[str, Any]:
    """Warm up as the service's own zygote does, so that what it leaves behind is tested as well."""
    switches.before_warming(off)
    _off.update(limits=switches.limits(off), may=switches.may(off))
    warm()
    return {}


def run(request: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Render in ``directory``, which is the working directory, and return what was recorded."""
    recorder = Recorder(directory, request.get("keep"))
    if request["lossless"]:
        _encode_losslessly()
    beside = {name: base64.b64decode(content) for name, content in request.get("beside", {}).items()}
    arrived = directory.parent / "arrived"
    arrived.mkdir()
    for number, content in enumerate(beside.values()):
        (arrived / str(number)).write_bytes(content)
    spec = RenderSpec.model_validate(
        {
            "code": request["code"],
            "scene": request["scene"],
            "assets": [use_of(name, content) for name, content in beside.items()],
            **request["options"],
        }
    )
    tex.use_typesetter(typeset_apart)
    limits = LIMITS.model_copy(update={"drawers": request.get("drawers", LIMITS.drawers), **_off["limits"]})
    told = directory.parent / "messages"
    may = Switches(**{"always": True, **_off["may"]})
    report = render(spec, limits, directory, partial(_tell, told), observe=recorder, switches=may, arrived=arrived)
    messages = _converse(told, report)
    subtitles = report.file(OutputRole.subtitles)
    return {
        "runs": recorder.runs,
        "sections": [section.name for section in report.sections],
        "subtitles": (directory / subtitles.name).read_text(encoding="utf-8") if subtitles else None,
        "file": decoded(directory / report.video.name),
        "planes": planes(directory / report.video.name) if request["lossless"] else None,
        "report": report.model_dump(mode="json"),
        "plays": _plays(messages),
    }


def _plays(messages: list[wire.Message]) -> list[dict[str, Any]]:
    """Return each play's kind and run time, with the frames that were drawn when it had ended.

    With one drawer these are the frames up to its end; with more, later plays' frames may be among them.
    """
    plays: list[dict[str, Any]] = []
    for message in messages:
        match message:
            case wire.Playing(index=index, kind=kind, duration=duration):
                plays.append({"index": index, "kind": kind, "run_time": duration})
            case wire.Progressed(progress=progress) if progress.animation_percent == 100:
                plays[-1]["end"] = progress.frames_done
            case _:
                pass
    return plays


def _tell(told: Path, message: wire.Message) -> None:
    """Keep a message in a file, since a process may go on where another one left off."""
    with told.open("ab") as file:
        file.write(wire.encode(message))


def _converse(told: Path, report: RenderReport) -> list[wire.Message]:
    """Return what was told. Raises :class:`wire.WireError` unless it is in order."""
    conversation = wire.Conversation()
    conversation.accept(wire.Hello())
    bodies = wire.FrameDecoder().feed(told.read_bytes()) if told.exists() else ()
    messages = [wire.parse(body) for body in bodies]
    for message in (*messages, wire.Finished(report=report)):
        conversation.accept(message)
    return messages


def _encode_losslessly() -> None:
    """Have the engine encode so that its file tells what planes the encoder was handed."""
    pin = configure.pin

    def pin_losslessly(spec: RenderSpec, directory: Path) -> None:
        pin(spec, directory)
        config.video_encoder_options = config.video_encoder_options | LOSSLESS

    configure.pin = pin_losslessly


def typeset_apart(source: str, compiler: Any, output_format: Any) -> wire.TexDone:
    """Typeset a document in a folder of its own, as the service does in another process."""
    limits = TexLimits(seconds=60, file_bytes=1 << 26)
    job = wire.TexJob(source=source, compiler=compiler, output_format=output_format, limits=limits)
    with tempfile.TemporaryDirectory(prefix="conformance-") as directory:
        return typeset(job, Path(directory))
