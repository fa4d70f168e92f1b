"""What a render is: sizes as Manim has them, and refusals that say what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from manimcast.spec import (
    MAX_CODE_CHARACTERS,
    AspectRatio,
    Format,
    OutputFile,
    OutputRole,
    Quality,
    RenderReport,
    RenderSpec,
    Resolution,
    SceneError,
)

CODE = "class Demo(Scene): pass"

SIZES = {
    "low_quality": {"16:9": (854, 480), "9:16": (480, 854), "1:1": (480, 480), "4:3": (640, 480), "4:5": (480, 600)},
    "medium_quality": {
        "16:9": (1280, 720),
        "9:16": (720, 1280),
        "1:1": (720, 720),
        "4:3": (960, 720),
        "4:5": (720, 900),
    },
    "high_quality": {
        "16:9": (1920, 1080),
        "9:16": (1080, 1920),
        "1:1": (1080, 1080),
        "4:3": (1440, 1080),
        "4:5": (1080, 1350),
    },
    "production_quality": {
        "16:9": (2560, 1440),
        "9:16": (1440, 2560),
        "1:1": (1440, 1440),
        "4:3": (1920, 1440),
        "4:5": (1440, 1800),
    },
    "fourk_quality": {
        "16:9": (3840, 2160),
        "9:16": (2160, 3840),
        "1:1": (2160, 2160),
        "4:3": (2880, 2160),
        "4:5": (2160, 2700),
    },
}


def refusal(**fields: object) -> str:
    """Return what is said of a spec that cannot be."""
    with pytest.raises(ValidationError) as caught:
        RenderSpec.model_validate({"code": CODE, **fields})
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in caught.value.errors())


@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("ratio", list(AspectRatio))
def test_size_of_every_quality_and_aspect_ratio(quality: Quality, ratio: AspectRatio) -> None:
    assert RenderSpec(code=CODE, quality=quality, aspect_ratio=ratio).pixel_size == SIZES[quality.value][ratio.value]


def test_qualities_are_those_of_the_installed_manim() -> None:
    # In a process of its own, since manim changes how this one logs.
    script = "import json; from manim.constants import QUALITIES; print(json.dumps(QUALITIES))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    stock = json.loads(run.stdout)
    for quality in Quality:
        spec = RenderSpec(code=CODE, quality=quality)
        theirs = stock[quality.value]
        assert spec.pixel_size == (theirs["pixel_width"], theirs["pixel_height"])
        assert spec.frames_per_second == theirs["frame_rate"]


@pytest.mark.parametrize("short", ["low", "medium", "high", "production", "fourk"])
def test_qualities_have_short_names(short: str) -> None:
    assert RenderSpec.model_validate({"code": CODE, "quality": short}).quality is Quality(f"{short}_quality")


def test_defaults() -> None:
    spec = RenderSpec(code=CODE)
    assert (spec.pixel_size, spec.frames_per_second, spec.format, spec.seed) == ((1280, 720), 30, Format.mp4, 0)


def test_resolution_and_frame_rate_override_the_quality() -> None:
    spec = RenderSpec(code=CODE, resolution=Resolution(width=200, height=100), frame_rate=23.976)
    assert spec.pixel_size == (200, 100)
    assert spec.frames_per_second == 23.976


@pytest.mark.parametrize("code", ["", "   \n\t"])
def test_code_must_be_there(code: str) -> None:
    assert refusal(code=code) == "code: Value error, No code provided"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"code": "x = '\ud800'"},
            "code: Value error, code is not valid Unicode text: a lone surrogate at character 5",
        ),
        ({"code": "x" * (MAX_CODE_CHARACTERS + 1)}, "code: String should have at most 1000000 characters"),
        ({"code": 5}, "code: Input should be a valid string"),
        ({"code": None}, "code: Input should be a valid string"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"quality": "best"}, "quality: Input should be 'low_quality'"),
        ({"quality": "low_quality_quality"}, "quality: Input should be 'low_quality'"),
        ({"aspect_ratio": "2:1"}, "aspect_ratio: Input should be '16:9'"),
        ({"format": "avi"}, "format: Input should be 'mp4'"),
        ({"transparent": True}, "format mp4 cannot be transparent; use mov, webm, gif or png"),
        ({"transparent": "yes"}, "transparent: Input should be a valid boolean"),
        ({"animations": [3, 2]}, "animations must be [from, to] with 0 <= from <= to"),
        ({"animations": [-1, 2]}, "animations must be [from, to] with 0 <= from <= to"),
        ({"animations": [1]}, "animations.1: Field required"),
        ({"resolution": {"width": 101, "height": 100}}, "resolution for mp4 must have even width and height"),
        ({"resolution": {"width": 100, "height": 101}, "format": "gif"}, "resolution for gif must have even"),
        ({"resolution": {"width": 8, "height": 100}}, "resolution.width: Input should be greater than or equal to 16"),
        ({"resolution": {"width": 100, "height": 9000}}, "resolution.height: Input should be less than or equal to 76"),
        ({"resolution": {"width": 7680, "height": 4322}}, "resolution has more than 33177600 pixels"),
        ({"resolution": {"width": 100}}, "resolution.height: Field required"),
        ({"resolution": {"width": "100", "height": 100}}, "resolution.width: Input should be a valid integer"),
        ({"frame_rate": 0.5}, "frame_rate: Input should be greater than or equal to 1"),
        ({"frame_rate": 121}, "frame_rate: Input should be less than or equal to 120"),
        ({"frame_rate": float("nan")}, "frame_rate: Input should be"),
        ({"timeout": 0}, "timeout: Input should be greater than 0"),
        ({"timeout": float("inf")}, "timeout: Input should be a finite number"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
        ({"seed": 2**32}, "seed: Input should be less than or equal to 4294967295"),
        ({"seed": True}, "seed: Input should be a valid integer"),
        ({"background_color": "red; rm -rf"}, "background_color: String should match pattern"),
        ({"background_color": "#12"}, "background_color: String should match pattern"),
        ({"save_sections": True, "format": "gif"}, "format gif cannot have sections"),
        ({"save_sections": True, "format": "png"}, "format png cannot have sections"),
        ({"scene": ""}, "scene: String should have at least 1 character"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused_with_the_reason(fields: dict[str, object], message: str) -> None:
    assert message in refusal(**fields)


@pytest.mark.parametrize(("format_", "transparent"), [("png", False), ("webm", False), ("mov", True)])
def test_odd_sides_are_fine_where_the_encoder_takes_them(format_: str, transparent: bool) -> None:
    size = {"width": 101, "height": 99}
    fields = {"code": CODE, "format": format_, "transparent": transparent, "resolution": size}
    assert RenderSpec.model_validate(fields).pixel_size == (101, 99)


def test_a_spec_cannot_be_changed() -> None:
    spec = RenderSpec(code=CODE)
    with pytest.raises(ValidationError, match="frozen"):
        spec.seed = 1


def test_a_spec_survives_json() -> None:
    spec = RenderSpec(code="# é 𝄞\n" + CODE, resolution=Resolution(width=64, height=36), animations=(0, 2), seed=9)
    assert RenderSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("field", ["line", "column", "end_line"])
def test_lines_and_columns_of_errors_begin_at_one(field: str) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        SceneError.model_validate({"code": "exception", "message": "no", field: 0})


def test_a_report_finds_its_files_by_role() -> None:
    files = (
        OutputFile(role=OutputRole.poster, name="poster.jpg", bytes=1),
        OutputFile(role=OutputRole.video, name="video.mp4", bytes=2),
    )
    report = RenderReport(
        scene="Demo",
        format=Format.mp4,
        media_type="video/mp4",
        width=16,
        height=16,
        frame_rate=15,
        frames=1,
        duration=1 / 15,
        animations=1,
        files=files,
        seed=0,
        timings={},
        fingerprint={},
    )
    assert report.video == files[1]
    assert report.file(OutputRole.poster) == files[0]
    assert report.file(OutputRole.subtitles) is None
