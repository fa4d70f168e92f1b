"""What is said with a process that runs a scene dry.

The service sends one :class:`InspectJob`. The process answers with :class:`~manimcast.wire.messages.Hello`, one
:class:`Loaded`, any number of :class:`Noted`, and ends with exactly one :class:`Inspected`, or with
:class:`~manimcast.wire.messages.Failed` when the code cannot be loaded. In between it may ask for TeX like a render.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import FailFast, Field

from manimcast.inspection import MAX_NAMES, Measured, Play, SceneWarning, Subcaption
from manimcast.spec import MAX_COUNT, MAX_SIDE, Name, RenderSpec, Section, Strict
from manimcast.wire.messages import VERSION, Limits


class InspectJob(Strict):
    """To a process that runs a scene dry: which one. ``draws`` has every frame drawn, for scenes that read them.

    Without a scene in ``spec`` the code's first one is run.
    """

    type: Literal["inspect_job"] = "inspect_job"
    version: Literal[2] = VERSION
    spec: RenderSpec
    limits: Limits
    draws: bool = False


class Loaded(Strict):
    """From a dry run: the code was loaded. ``scenes`` names the scenes in it, ``scene`` the one that is run."""

    type: Literal["loaded"] = "loaded"
    scenes: Annotated[tuple[Name, ...], FailFast()] = Field(max_length=MAX_NAMES)
    scene: Name
    width: int = Field(ge=1, le=MAX_SIDE)
    height: int = Field(ge=1, le=MAX_SIDE)
    frame_rate: float = Field(gt=0, le=MAX_COUNT)


class Noted(Strict):
    """From a dry run: one entry of what it tells, as soon as it is known."""

    type: Literal["noted"] = "noted"
    note: Play | Section | Subcaption | SceneWarning


class Inspected(Strict):
    """From a dry run, last: the scene has run. ``measured`` is null when the scene wants to read a frame."""

    type: Literal["inspected"] = "inspected"
    measured: Measured | None


Inspecting = Loaded | Noted | Inspected
"""What only a dry run says."""
