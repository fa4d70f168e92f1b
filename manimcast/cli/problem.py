"""A scene error as text for a person: what happened, where in the code, why, and what may help."""

from __future__ import annotations

from rich.text import Text

from manimcast.cli.outcome import printable
from manimcast.spec import ErrorCode, SceneError

TITLES = {
    ErrorCode.syntax_error: "the code does not parse",
    ErrorCode.scene_not_found: "the scene was not found",
    ErrorCode.no_scene: "there is no scene in the code",
    ErrorCode.exception: "the scene raised an exception",
    ErrorCode.latex_error: "LaTeX could not set an expression",
    ErrorCode.timeout: "the scene took too long",
    ErrorCode.out_of_memory: "the scene needed too much memory",
    ErrorCode.canceled: "the render was cancelled",
    ErrorCode.forbidden: "the scene did something that is not allowed",
    ErrorCode.output_too_large: "the video is larger than allowed",
    ErrorCode.asset_missing: "an asset is not there any more",
    ErrorCode.internal: "the renderer failed",
}


def scene_error_text(error: SceneError) -> Text:
    """Return ``error`` set for a terminal. The exact same words come out where there is no colour."""
    text = Text()
    text.append(f"Error: {TITLES[error.code]}", style="bold red")
    where = []
    if error.line is not None:
        where.append(
            (f"{error.file}, " if error.file else "")
            + f"line {error.line}"
            + (f", column {error.column}" if error.column is not None else "")
        )
    if error.animation_index is not None:
        where.append(f"animation {error.animation_index}")
    if where:
        text.append(f" ({', '.join(where)})", style="red")
    text.append("\n\n")
    text.append(printable(_message(error)), style="bold")
    for part in (error.excerpt, error.traceback, error.log):
        if part and part.strip():
            label = {id(error.traceback): "", id(error.log): "Output of the scene:\n"}.get(id(part), "")
            text.append(f"\n\n{label}{printable(part.strip(chr(10)).rstrip())}")
    if error.hint:
        text.append("\n\nHint: ", style="bold green")
        text.append(printable(error.hint))
    return text


def _message(error: SceneError) -> str:
    if error.exception and not error.message.startswith(error.exception):
        return f"{error.exception}: {error.message}"
    return error.message
