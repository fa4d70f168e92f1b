"""What a render is: the input that decides every frame, and the shapes of its result and of its error.

A render is a pure function of a :class:`RenderSpec` and the engine's versions. Nothing here knows HTTP, the
queue, storage or Manim; every layer above speaks in these types.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    StrictInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from manimcast.attached import MAX_ASSETS, AssetUse, check_beside
from manimcast.harmless import harmless
from manimcast.params import Params
from manimcast.sources import Files

MAX_CODE_CHARACTERS = 1_000_000
MAX_PIXELS = 7680 * 4320
MAX_SIDE = 7680
MIN_SIDE = 16
MAX_FRAME_RATE = 120
MAX_COUNT = 10**9
"""Of what a render tells of itself: frames, plays, lines."""
MAX_SECONDS = 10.0**9
MAX_SEGMENTS = 500
"""Of which a render tells what each took."""


class Quality(StrEnum):
    """Manim's quality names; each stands for the length of the short side and a frame rate."""

    low_quality = "low_quality"
    medium_quality = "medium_quality"
    high_quality = "high_quality"
    production_quality = "production_quality"
    fourk_quality = "fourk_quality"

    @classmethod
    def _missing_(cls, value: object) -> Quality | None:
        """Accept the short forms ``low``, ``medium``, ``high``, ``production`` and ``fourk``."""
        if isinstance(value, str) and not value.endswith("_quality"):
            return cls._value2member_map_.get(f"{value}_quality")  # type: ignore[return-value]
        return None

    @property
    def short_side(self) -> int:
        """Pixels of the shorter side of the picture."""
        return _QUALITY[self][0]

    @property
    def frame_rate(self) -> int:
        """Frames per second."""
        return _QUALITY[self][1]


_QUALITY: dict[Quality, tuple[int, int]] = {
    Quality.low_quality: (480, 15),
    Quality.medium_quality: (720, 30),
    Quality.high_quality: (1080, 60),
    Quality.production_quality: (1440, 60),
    Quality.fourk_quality: (2160, 60),
}


class AspectRatio(StrEnum):
    """Width to height of the picture."""

    wide = "16:9"
    tall = "9:16"
    square = "1:1"
    classic = "4:3"
    portrait = "4:5"

    @property
    def terms(self) -> tuple[int, int]:
        """The two numbers of the ratio, width first."""
        width, height = self.value.split(":")
        return int(width), int(height)


class Engine(StrEnum):
    """Manim's renderers."""

    cairo = "cairo"
    opengl = "opengl"


class Format(StrEnum):
    """What comes out: a video, or for ``png`` the last frame as a picture."""

    mp4 = "mp4"
    webm = "webm"
    mov = "mov"
    gif = "gif"
    png = "png"

    @property
    def media_type(self) -> str:
        """The fixed content type that such a file is served with."""
        return {
            "mp4": "video/mp4",
            "webm": "video/webm",
            "mov": "video/quicktime",
            "gif": "image/gif",
            "png": "image/png",
        }[self.value]

    @property
    def holds_alpha(self) -> bool:
        """Whether the format can be transparent."""
        return self is not Format.mp4


class EncoderPreset(StrEnum):
    """x264's presets, fastest first. Faster ones make larger files."""

    ultrafast = "ultrafast"
    superfast = "superfast"
    veryfast = "veryfast"
    faster = "faster"
    fast = "fast"
    medium = "medium"
    slow = "slow"


class Strict(BaseModel):
    """A model that refuses unknown fields and names them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Resolution(Strict):
    """Size of the picture in pixels."""

    width: int = Field(ge=MIN_SIDE, le=MAX_SIDE, strict=True)
    height: int = Field(ge=MIN_SIDE, le=MAX_SIDE, strict=True)


Color = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40, pattern=r"^(#[0-9A-Fa-f]{3,8}|[A-Za-z_][A-Za-z0-9_]*)$"),
]
"""``#rgb``, ``#rrggbb``, ``#rrggbbaa`` or one of Manim's colour names."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CODE_CHARACTERS)]

SceneName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class RenderSpec(Strict):
    """Everything that decides a render's frames, and the file that they are written to.

    ``code`` is Python source that defines Manim scenes. ``scene`` may be left out when there is exactly one.
    ``resolution`` overrides ``quality`` and ``aspect_ratio``; ``frame_rate`` overrides the quality's. The scene sees
    ``params`` as ``PARAMS``, and has ``files`` and ``assets`` in its folder.
    """

    code: Code
    scene: SceneName | None = None
    engine: Engine = Engine.cairo
    quality: Quality = Quality.medium_quality
    aspect_ratio: AspectRatio = AspectRatio.wide
    resolution: Resolution | None = Field(default=None, examples=[{"width": 1280, "height": 720}])
    frame_rate: float | None = Field(default=None, ge=1, le=MAX_FRAME_RATE, allow_inf_nan=False)
    format: Format = Format.mp4
    transparent: bool = Field(default=False, strict=True)
    background_color: Color | None = None
    encoder_preset: EncoderPreset | None = None
    seed: int = Field(default=0, ge=0, le=2**32 - 1, strict=True)
    params: Params = Field(default_factory=dict, examples=[{"name": "Ada"}])
    files: Files = Field(default_factory=dict, examples=[{"shapes.py": "def ring(): return Circle()"}])
    assets: Annotated[tuple[AssetUse, ...], Field(max_length=MAX_ASSETS)] = ()
    animations: tuple[StrictInt, StrictInt] | None = Field(default=None, examples=[[0, 2]])
    save_sections: bool = Field(default=False, strict=True)
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @field_validator("code", mode="before")  # before pydantic's own checks, which say it in less helpful words
    @classmethod
    def _code_is_text(cls, code: object) -> object:
        if not isinstance(code, str):
            return code
        if not code.strip():
            raise ValueError("No code provided")
        try:
            code.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"code is not valid Unicode text: a lone surrogate at character {error.start}") from None
        return code

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.transparent and not self.format.holds_alpha:
            raise ValueError("format mp4 cannot be transparent; use mov, webm, gif or png")
        if self.animations is not None and not 0 <= self.animations[0] <= self.animations[1]:
            raise ValueError("animations must be [from, to] with 0 <= from <= to")
        if self.resolution and self.resolution.width * self.resolution.height > MAX_PIXELS:
            raise ValueError(f"resolution has more than {MAX_PIXELS} pixels")
        if self.resolution and self._needs_even_sides and (self.resolution.width % 2 or self.resolution.height % 2):
            raise ValueError(f"resolution for {self.format} must have even width and height")
        check_beside(self.files, (asset.name for asset in self.assets))
        if self.save_sections and self.format in {Format.png, Format.gif}:
            raise ValueError(f"format {self.format} cannot have sections")
        return self

    @property
    def source_bytes(self) -> int:
        """How long the code and the files are together, in bytes."""
        return sum(len(text.encode()) for text in (self.code, *self.files.values()))

    @property
    def _needs_even_sides(self) -> bool:
        # H.264 in yuv420p halves both sides of the chroma planes; gif segments are such files too.
        return self.format in {Format.mp4, Format.mov, Format.gif} and not self.transparent

    @property
    def pixel_size(self) -> tuple[int, int]:
        """Width and height in pixels, both even when they come from a quality."""
        if self.resolution is not None:
            return self.resolution.width, self.resolution.height
        short = self.quality.short_side
        across, down = self.aspect_ratio.terms
        long = _even(short * max(across, down) / min(across, down))
        return (long, short) if across >= down else (short, long)

    @property
    def frames_per_second(self) -> float:
        """Frame rate in hertz."""
        return self.frame_rate if self.frame_rate is not None else float(self.quality.frame_rate)


def _even(length: float) -> int:
    """Round up to an even number of pixels, as Manim's own qualities do (480p is 854 wide)."""
    return int(-(-length // 2) * 2)


class ErrorCode(StrEnum):
    """Why a scene did not become a video."""

    syntax_error = "syntax_error"
    scene_not_found = "scene_not_found"
    no_scene = "no_scene"
    exception = "exception"
    latex_error = "latex_error"
    timeout = "timeout"
    out_of_memory = "out_of_memory"
    canceled = "canceled"
    forbidden = "forbidden"
    output_too_large = "output_too_large"
    asset_missing = "asset_missing"
    internal = "internal"


Label = Annotated[str, StringConstraints(max_length=60), AfterValidator(harmless)]
Short = Annotated[str, StringConstraints(max_length=500), AfterValidator(harmless)]
Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(harmless)]
Name = Annotated[str, StringConstraints(max_length=200), AfterValidator(harmless)]
"""Text of a scene's or of one that it could have written, so made harmless."""
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS)]


class SceneError(BaseModel):
    """What went wrong in a scene, for people and for programs that repair scenes.

    Line and column numbers are one-based and count in the posted code, or in the posted file that ``file`` names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["scene_error"] = "scene_error"
    code: ErrorCode
    message: Annotated[str, StringConstraints(max_length=4000), AfterValidator(harmless)]
    exception: Short | None = None
    file: Name | None = None
    line: int | None = Field(default=None, ge=1, le=MAX_COUNT)
    column: int | None = Field(default=None, ge=1, le=MAX_COUNT)
    end_line: int | None = Field(default=None, ge=1, le=MAX_COUNT)
    excerpt: Text | None = None
    animation_index: Count | None = None
    hint: Annotated[str, StringConstraints(max_length=2000), AfterValidator(harmless)] | None = None
    traceback: Text | None = None
    log: Text | None = None


class Progress(Strict):
    """How far a render is. ``percent`` and ``frames_total`` are null while the total is not known."""

    animation_index: Count
    animation_percent: int = Field(ge=0, le=100)
    percent: float | None = Field(default=None, ge=0, le=100)
    frames_done: Count
    frames_total: Count | None = None


class Section(Strict):
    """One section of a scene. ``file`` is the name of its own video, when sections are saved."""

    name: Name
    type: Name
    start: Seconds
    duration: Seconds
    file: Annotated[str, StringConstraints(max_length=100)] | None = None


class OutputRole(StrEnum):
    """What a file of a finished render is for."""

    video = "video"
    poster = "poster"
    subtitles = "subtitles"
    section = "section"


class OutputFile(Strict):
    """One file of a finished render, by its name in the render's own directory."""

    role: OutputRole
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}\.[a-z0-9]{2,4}$")]
    bytes: int = Field(ge=0, le=2**53)


class Sandbox(Strict):
    """How a render was confined: the tier, and the layers in force by their names."""

    tier: Label
    layers: Annotated[tuple[Label, ...], FailFast()] = Field(default=(), max_length=50)


class Drawing(Strict):
    """How the frames were drawn.

    ``segments`` is the number of parts that were encoded, ``forked`` how many of them other processes drew than the
    one that runs the scene, at most ``processes`` at once; ``stepped_over`` counts plays that the scene did not have to
    be stepped through. ``alone_because`` says why one process drew all of it, where more might have.
    """

    segments: Count
    processes: int = Field(ge=1, le=1024)
    forked: Count = 0
    stepped_over: Count = 0
    alone_because: Short | None = None


class SegmentWay(StrEnum):
    """Who drew and encoded a segment.

    ``alone``: the process that runs the scene. ``behind``: it drew, and a thread of its own encoded. ``apart``: another
    process, while this one stepped the scene through the same frames. ``over``: another one, and this one did not.
    """

    alone = "alone"
    behind = "behind"
    apart = "apart"
    over = "over"


class SegmentWork(Strict):
    """What a segment took, in seconds of processor time: stepping, drawing, encoding.

    ``ready`` is how much of :attr:`DrawingWork.scene` had gone before it could be begun, or, of one that was drawn by
    the process that runs the scene, encoded. ``processes`` of them drew it together, frame by frame, and one of those
    encoded it.
    """

    way: SegmentWay
    ready: Seconds
    step: Seconds
    draw: Seconds
    encode: Seconds
    processes: int = Field(default=1, ge=1, le=MAX_COUNT)


class DrawingWork(Strict):
    """What drawing took, in seconds of processor time.

    ``scene`` is what the process that runs the scene took, from the scene's first line to the end of its last play,
    with what it drew itself; ``join`` what putting the file together took.
    """

    scene: Seconds
    join: Seconds
    segments: Annotated[tuple[SegmentWork, ...], FailFast()] = Field(max_length=MAX_SEGMENTS)


class RenderReport(Strict):
    """What a finished render is, as the engine tells it.

    Lengths are in pixels, times in seconds. ``timings`` says where the time went; ``fingerprint`` names every
    version that decides pixels. Of the ``animations``, ``animations_reused`` were not drawn, as what they show was
    kept from an earlier render. ``compute_seconds`` is how long the render held its machine's resources, and
    ``sandbox`` how it was confined; the trusted side fills them in. ``work`` is null when it could not be measured, or
    has too many segments to tell.
    """

    scene: Name
    format: Format
    media_type: Annotated[str, StringConstraints(max_length=60)]
    width: int = Field(ge=1, le=MAX_SIDE)
    height: int = Field(ge=1, le=MAX_SIDE)
    frame_rate: float = Field(gt=0, le=MAX_COUNT)
    frames: Count
    duration: Seconds
    animations: Count
    animations_reused: Count = 0
    sections: Annotated[tuple[Section, ...], FailFast()] = Field(default=(), max_length=1000)
    files: Annotated[tuple[OutputFile, ...], FailFast()] = Field(max_length=1100)
    seed: int
    timings: dict[Label, Seconds] = Field(max_length=50)
    fingerprint: dict[Label, Annotated[str, StringConstraints(max_length=200)]] = Field(max_length=50)
    warnings: Annotated[tuple[Short, ...], FailFast()] = Field(default=(), max_length=50)
    drawing: Drawing | None = None
    work: DrawingWork | None = None
    compute_seconds: Seconds | None = None
    sandbox: Sandbox | None = None

    @property
    def video(self) -> OutputFile:
        """The file that the client asked for."""
        return next(file for file in self.files if file.role is OutputRole.video)

    def file(self, role: OutputRole) -> OutputFile | None:
        """The first file with ``role``, if there is one."""
        return next((file for file in self.files if file.role is role), None)


JsonObject = dict[str, Any]
