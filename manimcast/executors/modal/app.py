"""The app on Modal: three functions around the container's warm process.

Deploy it with ``manimcast deploy`` or ``modal deploy api/modal_manim.py``. Modal imports this module twice: where
the app is deployed, to learn what the functions are, and in every container, to run them.

The functions are made for code from strangers: no network, no access to Modal, no secrets, one render for each
container, the scene in a child process of another user, and results of plain data (never pickles).
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import modal

from manimcast.executors.modal import image, plain
from manimcast.executors.modal.container import Container, reaches
from manimcast.executors.modal.protocol import COMPILE
from manimcast.settings import load

settings = load()

app = modal.App(settings.modal_app_name, include_source=False)

_AS_DEPLOYED: dict[str, Any] = {
    "image": image.build(settings) if modal.is_local() else modal.Image.debian_slim(),
    "cpu": (settings.modal_cores, settings.modal_cores),
    "memory": (settings.modal_memory, settings.modal_memory),
    "timeout": settings.modal_timeout,
    "max_containers": settings.modal_max_containers,
    "scaledown_window": settings.modal_scaledown_window,
    "enable_memory_snapshot": settings.modal_snapshot,
    "block_network": True,
    "restrict_modal_access": True,
    "_experimental_restrict_output": True,
}

# In a container, and before Modal takes the snapshot of its memory.
container = None if modal.is_local() else Container.warm()


def _here() -> Container:
    if container is None:
        raise RuntimeError("this function runs in a container on Modal: call it with .remote()")
    return container


@app.function(
    **_AS_DEPLOYED,
    single_use_containers=True,
    min_containers=settings.modal_min_containers,
    buffer_containers=settings.modal_buffer_containers,
)
def render_stream(call: dict[str, Any]) -> Generator[dict[str, Any], None, None]:
    """Render and tell as it happens; see :mod:`manimcast.executors.modal.protocol`. For the service."""
    call_id = modal.current_function_call_id() or ""
    yield from _here().stream(call, call_id=call_id, container=os.environ.get("MODAL_TASK_ID", ""))


@app.function(**_AS_DEPLOYED, single_use_containers=True, retries=settings.modal_retries)
def compile_manim_animation(
    python_code: str,
    class_name: str | None = None,
    rendering_engine: str = "cairo",
    quality: str = "medium_quality",
    aspect_ratio: str = "16:9",
    **options: Any,
) -> dict[str, Any]:
    """Render a scene and return the video, for anybody who may call functions of this app.

    Parameters
    ----------
    python_code
        Code that defines a Manim scene.
    class_name
        The scene's class; may be left out when there is exactly one.
    rendering_engine, quality, aspect_ratio
        As in a request to ``/v1/video/rendering``.
    options
        Further fields of a request to ``/v1/renders``: ``format``, ``seed``, ``resolution``, ``timeout``, ...

    Returns
    -------
    dict
        ``success``; ``video_bytes`` or None; ``progress_updates``, a list of ``{"animationIndex", "percentage"}``;
        ``duration`` of the video in seconds; ``seconds`` that the render took; ``logs``, a list of lines; ``error``,
        a sentence or None; ``details``, a list of lines; ``scene_error`` and ``report`` as the service gives them.
    """
    request = {
        "code": python_code,
        "scene": class_name,
        "engine": rendering_engine,
        "quality": quality,
        "aspect_ratio": aspect_ratio,
        **options,
    }
    return plain.compile_scene(_here(), request)


@app.function(**{**_AS_DEPLOYED, "timeout": 120, "max_containers": 2})
def health_check(reach: str | None = None, modal_access: bool = False) -> dict[str, Any]:
    """Return the versions of manim, numpy, FFmpeg's libraries and LaTeX, and what keeps a scene in.

    ``reach`` (``host:port``) asks whether the container, outside any scene, can open a connection there; the
    answer's ``reached`` should be False. ``modal_access`` asks whether it can use Modal; it should be ``denied``.
    """
    told = _here().health()
    if reach:
        told["reached"] = reaches(reach)
    if modal_access:
        told["modal_access"] = _modal_access()
    return told


def _modal_access() -> str:
    try:
        modal.Function.from_name(settings.modal_app_name, COMPILE).hydrate()
    except modal.exception.PermissionDeniedError:
        return "denied"
    except modal.exception.Error as error:
        return f"{type(error).__name__}: {error}"
    return "granted"
