"""`manimcast render`: scenes of a file to videos on disk, through the same engine as the service, without HTTP."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manimcast.cli import outcome
from manimcast.cli.assets import ASSET, Given, open_assets
from manimcast.cli.options import (
    ENGINES,
    FORMATS,
    PRESETS,
    RATIOS,
    SANDBOXES,
    animation_range,
    picture_size,
    quality_name,
)
from manimcast.cli.outcome import complain, refuse
from manimcast.cli.params import PARAM, PARAMS, read_params
from manimcast.cli.settings import load_or_refuse

if TYPE_CHECKING:
    from manimcast.cli.display import Display
    from manimcast.cli.output import Destination
    from manimcast.spec import RenderSpec

EXAMPLES = """\b
Examples:
  manimcast render scene.py                      the only scene, to ./<Scene>.mp4
  manimcast render scene.py Intro Proof -q low   two scenes, in 480p15
  manimcast render scene.py --all -o videos/     every scene, into a folder
  manimcast render scene.py -o intro.gif         the name chooses the format
  manimcast render scene.py --aspect-ratio 9:16  upright, for phones
  manimcast render scene.py --param name="Ada"   what the scene sees as PARAMS["name"]
  manimcast render scene.py --asset logo.png     ImageMobject("logo.png") finds it
  cat scene.py | manimcast render - -o out.mp4   code from standard input

Exit codes: 0 rendered, 1 a scene failed, 2 wrong usage, 3 rendering is not possible here, 130 interrupted.
"""


def command(  # noqa: PLR0917  the command line is what it is
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Python file with Manim scenes, or - for standard input.")
    ],
    scenes: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCENE", help="Scene classes to render. Not needed if the file has only one."),
    ] = None,
    render_all: Annotated[bool, typer.Option("--all", "-a", help="Render every scene of the file.")] = False,
    quality: Annotated[
        str,
        typer.Option(
            "--quality",
            "-q",
            parser=quality_name,
            metavar="low|medium|high|production|fourk",
            help="480p15, 720p30, 1080p60, 1440p60 or 2160p60; also by manim's letters l, m, h, p, k.",
        ),
    ] = "medium",
    out: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="File or folder of the result. Default: a file in this folder, named after the scene. "
            "A file of that name is replaced, as manim does, once the new one is complete.",
        ),
    ] = None,
    format_: Annotated[
        FORMATS | None,
        typer.Option("--format", help="Kind of file; png is the last frame. Default: the ending of OUT, else mp4."),
    ] = None,
    aspect_ratio: Annotated[RATIOS, typer.Option("--aspect-ratio", help="Width to height of the picture.")] = "16:9",
    resolution: Annotated[
        Any,
        typer.Option(
            "--resolution",
            "-r",
            parser=picture_size,
            metavar="WxH",
            help="Size in pixels, for example 1280x720. Overrides quality and aspect ratio.",
        ),
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", metavar="N", help="Frames per second. Overrides the quality's.")
    ] = None,
    transparent: Annotated[
        bool, typer.Option("--transparent", "-t", help="Transparent background; makes a mov unless a format is given.")
    ] = False,
    background: Annotated[
        str | None,
        typer.Option("--background", metavar="COLOR", help="Background: #rrggbb or one of Manim's colour names."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of random and numpy.random.")] = 0,
    params: PARAMS = None,
    param: PARAM = None,
    asset: ASSET = None,
    engine: Annotated[ENGINES, typer.Option("--engine", help="Manim's renderer.")] = "cairo",
    preset: Annotated[
        PRESETS | None, typer.Option("--preset", help="x264 preset: faster ones make larger files.")
    ] = None,
    animations: Annotated[
        Any,
        typer.Option(
            "--animations",
            "-n",
            parser=animation_range,
            metavar="FROM,TO",
            help="Draw only these animations, counted from 0.",
        ),
    ] = None,
    sections: Annotated[
        bool,
        typer.Option(
            "--sections", help="Also write each section as a video of its own, into a folder beside the video."
        ),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", help="Longest time for one scene. Default: RENDER_TIMEOUT, 300."),
    ] = None,
    sandbox: Annotated[
        SANDBOXES | None,
        typer.Option(
            "--sandbox", help="Insist on full confinement (strict), take what there is, or none. Default: SANDBOX."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event, and the report at the end, as a line of JSON.")
    ] = False,
) -> None:
    """Render scenes of FILE to videos.

    Progress goes to standard error, the path of each video to standard output. Nothing is opened, and nothing but
    the videos is left behind.
    """
    from manimcast.cli.display import choose  # noqa: PLC0415  --help must not wait for what only rendering needs
    from manimcast.cli.output import Destination, OutputError  # noqa: PLC0415
    from manimcast.cli.source import SourceError, read  # noqa: PLC0415

    try:
        code = read(file)
    except SourceError as error:
        refuse(str(error))
    names = _choose_scenes(file, code, scenes or [], render_all=render_all)
    with ExitStack() as files:
        given = open_assets(asset, files)
        try:
            destination = Destination.of(out, several=len(names) > 1)
            output_format = destination.format(format_, transparent=transparent)
            specs = _specs(
                names,
                code=code,
                engine=engine,
                quality=quality,
                aspect_ratio=aspect_ratio,
                resolution=resolution,
                frame_rate=fps,
                format=output_format,
                transparent=transparent,
                background_color=background,
                encoder_preset=preset,
                seed=seed,
                params=read_params(params, param),
                assets=given.uses,
                animations=animations,
                save_sections=sections,
                timeout=timeout,
            )
            destination.prepare()
        except OutputError as error:
            refuse(str(error))
        raise typer.Exit(_run(specs, destination, choose(as_json=as_json), given, sandbox=sandbox))


def _choose_scenes(file: str, code: str, named: list[str], *, render_all: bool) -> list[str | None]:
    """Return the scenes to render; None stands for the only one there is, which the engine finds."""
    from manimcast.cli.source import scenes  # noqa: PLC0415

    if named and render_all:
        refuse("name scenes or say --all, not both")
    if named:
        return list(dict.fromkeys(named))
    found = scenes(code)
    if render_all:
        return list(found) or [None]
    if len(found) > 1:
        refuse(f"{file} has {len(found)} scenes: {', '.join(found)}", hint="name the ones to render, or say --all")
    return [None]


def _specs(names: list[str | None], **options: Any) -> list[RenderSpec]:
    """Return one spec for each scene."""
    return [make_spec(name, **options) for name in names]


def make_spec(scene: str | None, **options: Any) -> RenderSpec:
    """Return the spec of ``scene``. A wrong value ends the command and names the option."""
    from pydantic import ValidationError  # noqa: PLC0415

    from manimcast.spec import RenderSpec  # noqa: PLC0415

    try:
        return RenderSpec(scene=scene, **options)
    except ValidationError as error:
        names_of = {
            "frame_rate": "--fps",
            "background_color": "--background",
            "encoder_preset": "--preset",
            "save_sections": "--sections",
            "code": "FILE",
            "scene": "SCENE",
        }
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        option = names_of.get(field, f"--{field.replace('_', '-')}") if field else ""
        message = first["msg"].removeprefix("Value error, ")
        if field == "background_color":
            message = "must be #rgb, #rrggbb, #rrggbbaa or the name of a colour"
        refuse(f"{option}: {message}" if option else message)


def _run(
    specs: list[RenderSpec], destination: Destination, display: Display, given: Given, *, sandbox: str | None
) -> int:
    """Render ``specs`` one after the other and return the command's exit code."""
    settings = load_or_refuse(hint=outcome.WHENCE, sandbox=sandbox)
    try:
        from manimcast.cli.session import Session  # noqa: PLC0415
        from manimcast.executors.local import LocalExecutor  # noqa: PLC0415
    except ImportError as error:
        refuse(f"rendering on this machine is not installed: {error}", hint=outcome.DOCTOR, code=outcome.NO_EXECUTOR)
    logging.getLogger("manimcast").addHandler(logging.NullHandler())  # what matters arrives as an ExecutorError
    with tempfile.TemporaryDirectory(prefix="manimcast-", ignore_cleanup_errors=True) as scratch:
        keeps = "data_dir" in settings.model_fields_set
        if not keeps:
            # A person's working directory is not the service's: leave no data folder in it.
            settings = settings.model_copy(update={"data_dir": Path(scratch) / "data"})
        try:
            session = Session(
                LocalExecutor(settings), settings, Path(scratch), display, reuse=keeps, attached=given.attached
            )
            return asyncio.run(session.run(specs, destination))
        except KeyboardInterrupt:
            complain("interrupted; the render was cancelled")
            return outcome.INTERRUPTED
