"""From a spec to Manim's configuration, and who has the last word.

As on Manim's own command line, the code runs after the options were applied, so what it sets about the picture
wins: pixel size, frame rate, frame size in scene units, background, seed, templates. Where and how the result is
written is the service's: format, paths, caching, progress bars, previews. The service's limits are checked on
what is actually drawn.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from manim import config
from manim.constants import RendererType

from manimcast.engine.errors import SceneFailure
from manimcast.spec import Engine, ErrorCode, Format, RenderSpec, SceneError
from manimcast.wire import Limits

SHORT_SIDE_UNITS = 8.0
"""Scene units along the short side of the picture; Manim's own frame is 8 units high."""

X264_DEFAULTS = {
    "preset": "superfast",
    "crf": "24.6",
    "x264-params": "scenecut=0:bframes=2:b-adapt=0:qcomp=0.8:aq-strength=0.75:ipratio=3:deadzone-intra=6"
    ":partitions=p8x8,i8x8,i4x4:me=hex",
}
"""What x264 is told when no preset was asked for: chosen by measurement, see docs/internals/encoding.md."""

SMOOTH_CRF = "25.3"
"""`crf` for more than 30 pictures a second: with the same one the file would be better still, but too large."""

ENCODER_THREADS = "1"
"""Segments are encoded side by side, and the file's bytes must not depend on the machine."""


def x264_defaults(frame_rate: Fraction | float) -> dict[str, str]:
    """Return what x264 is told when no preset was asked for, by frames a second."""
    return X264_DEFAULTS if frame_rate <= 30 else X264_DEFAULTS | {"crf": SMOOTH_CRF}


def apply(spec: RenderSpec, directory: Path) -> None:
    """Set Manim's configuration from ``spec``, before the code is loaded."""
    width, height = spec.pixel_size
    rate = spec.frames_per_second
    renderer = RendererType.OPENGL if spec.engine is Engine.opengl else RendererType.CAIRO
    if config.renderer is not renderer:  # Manim gives every mobject's class its bases anew, whatever they were
        config.renderer = renderer
    config.pixel_width, config.pixel_height = width, height
    config.frame_rate = int(rate) if rate == int(rate) else rate
    config.frame_width, config.frame_height = frame_units(width, height)
    if spec.background_color is not None:
        try:
            config.background_color = spec.background_color
        except (ValueError, TypeError) as error:
            raise SceneFailure(
                SceneError(
                    code=ErrorCode.exception,
                    message=f"background_color: {spec.background_color!r} is not a colour: {error}"[:4000],
                    hint="Use #rrggbb or one of Manim's colour names, such as DARK_BLUE.",
                )
            ) from None
    config.transparent = spec.transparent
    config.seed = spec.seed
    pin(spec, directory)


def frame_units(width: int, height: int) -> tuple[float, float]:
    """Return width and height of the frame in scene units: 8 along the short side, square pixels.

    Sizes that are 16:9 to the nearest pixel get exactly Manim's own frame of 14.22 by 8, whatever the rounding of
    854 by 480, so that their frames equal those of the ``manim`` command.
    """
    if abs(width - height * 16 / 9) <= 1:
        return SHORT_SIDE_UNITS * 16 / 9, SHORT_SIDE_UNITS
    if abs(height - width * 16 / 9) <= 1:
        return SHORT_SIDE_UNITS, SHORT_SIDE_UNITS * 16 / 9
    unit = min(width, height) / SHORT_SIDE_UNITS
    return width / unit, height / unit


def pin(spec: RenderSpec, directory: Path) -> None:
    """Set what is the service's to decide; done before and again after the code was loaded."""
    settings: dict[str, Any] = {
        "verbosity": "ERROR",  # the setters themselves have things to say, such as that webm is slow
        "format": spec.format.value,
        "save_sections": spec.save_sections,
        "media_dir": str(directory / "media"),
        "video_dir": "{media_dir}/videos",
        "images_dir": "{media_dir}/images",
        "sections_dir": "{video_dir}/sections",
        "partial_movie_dir": "{media_dir}/segments",
        "text_dir": "{media_dir}/texts",
        "tex_dir": "{media_dir}/Tex",
        "output_file": "",
        "input_file": "",
        "disable_caching": True,
        "disable_caching_warning": True,
        "max_files_cached": -1,
        "progress_bar": "none",
        "preview": False,
        "live_preview": False,
        "enable_gui": False,
        "show_in_file_browser": False,
        "dry_run": False,
        "write_all": False,
        "log_to_file": False,
        "notify_outdated_version": False,
        "video_codec": "auto",
        "pixel_format": "auto",
        "from_animation_number": spec.animations[0] if spec.animations else 0,
        "upto_animation_number": spec.animations[1] if spec.animations else -1,
    }
    for name, value in settings.items():
        setattr(config, name, value)
    config.verbosity = "WARNING"
    if not spec.format.holds_alpha:
        config.transparent = False
    config.video_encoder_options = _encoder_options(spec)  # reading it gives a copy, so it is set as a whole


def _encoder_options(spec: RenderSpec) -> dict[str, str]:
    """Return what is added to Manim's own options, which are ``crf`` 23 except for transparent QuickTime files."""
    if config.transparent and spec.format is not Format.webm:
        return {}  # QuickTime's animation codec has none of these
    threads = {"threads": ENCODER_THREADS}
    if spec.format not in {Format.mp4, Format.mov, Format.gif}:
        return threads
    # With a preset that was asked for, the rest is as in Manim: its crf, and the preset's own settings.
    if spec.encoder_preset is not None:
        return threads | {"preset": spec.encoder_preset.value}
    return threads | x264_defaults(config.frame_rate)


def check(limits: Limits) -> None:
    """Raise :class:`SceneFailure` when the code set a picture that is larger or faster than allowed."""
    width, height, rate = config.pixel_width, config.pixel_height, config.frame_rate
    problem = None
    if width * height > limits.pixels:
        problem = f"config asks for frames of {width} x {height} pixels; at most {limits.pixels} pixels are allowed"
    elif rate > limits.frame_rate:
        problem = f"config asks for {rate:g} frames a second; at most {limits.frame_rate:g} are allowed"
    if problem:
        raise SceneFailure(SceneError(code=ErrorCode.output_too_large, message=f"The code sets too much: {problem}."))
