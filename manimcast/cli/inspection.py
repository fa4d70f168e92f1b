"""`manimcast inspect`: what the scenes of a file come to, through the engine's dry run, without a service."""

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
from manimcast.cli.options import ENGINES, RATIOS, SANDBOXES, animation_range, picture_size, quality_name
from manimcast.cli.outcome import complain, refuse
from manimcast.cli.params import PARAM, PARAMS, read_params
from manimcast.cli.render import make_spec
from manimcast.cli.settings import load_or_refuse

if TYPE_CHECKING:
    from manimcast.inspection import Inspection
    from manimcast.settings import Settings
    from manimcast.spec import RenderSpec

EXAMPLES = """\b
Examples:
  manimcast inspect scene.py                  every scene of the file: plays, duration, what is wrong
  manimcast inspect scene.py Intro -q high    one scene, as it would be in 1080p60
  manimcast inspect scene.py --json | jq .    the same for programs
  cat scene.py | manimcast inspect -          code from standard input

Exit codes: 0 every scene runs, 1 one fails, 2 wrong usage, 3 scenes cannot be run here, 130 interrupted.
"""


def command(  # noqa: PLR0917  the command line is what it is
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Python file with Manim scenes, or - for standard input.")
    ],
    scene: Annotated[
        str | None, typer.Argument(metavar="SCENE", help="Scene class to run. Default: every one, up to 20.")
    ] = None,
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
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of random and numpy.random.")] = 0,
    params: PARAMS = None,
    param: PARAM = None,
    asset: ASSET = None,
    engine: Annotated[ENGINES, typer.Option("--engine", help="Manim's renderer.")] = "cairo",
    animations: Annotated[
        Any,
        typer.Option(
            "--animations",
            "-n",
            parser=animation_range,
            metavar="FROM,TO",
            help="Only these animations, counted from 0.",
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", help="Longest time for all scenes. Default: INSPECT_TIMEOUT, 60."),
    ] = None,
    sandbox: Annotated[
        SANDBOXES | None,
        typer.Option(
            "--sandbox", help="Insist on full confinement (strict), take what there is, or none. Default: SANDBOX."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what POST /v1/scenes/inspect answers.")] = False,
) -> None:
    """Run scenes of FILE dry, and tell what they come to.

    Nothing is drawn and nothing is written. Standard output gets each scene's plays with their times, its sections,
    its length, about how long a render takes, and what is probably not meant.
    """
    from manimcast.cli.source import SourceError, read  # noqa: PLC0415  --help must not wait for it

    try:
        code = read(file)
    except SourceError as error:
        refuse(str(error))
    with ExitStack() as files:
        given = open_assets(asset, files)
        spec = make_spec(
            scene,
            code=code,
            engine=engine,
            quality=quality,
            aspect_ratio=aspect_ratio,
            resolution=resolution,
            frame_rate=fps,
            seed=seed,
            params=read_params(params, param),
            assets=given.uses,
            animations=animations,
            timeout=timeout,
        )
        raise typer.Exit(_run(spec, given, sandbox=sandbox, as_json=as_json))


def _run(spec: RenderSpec, given: Given, *, sandbox: str | None, as_json: bool) -> int:
    """Run the scenes, print what they come to, and return the command's exit code."""
    settings = load_or_refuse(hint=outcome.WHENCE, sandbox=sandbox)
    logging.getLogger("manimcast").addHandler(logging.NullHandler())  # what matters arrives as an ExecutorError
    with tempfile.TemporaryDirectory(prefix="manimcast-", ignore_cleanup_errors=True) as scratch:
        if "data_dir" not in settings.model_fields_set:
            settings = settings.model_copy(update={"data_dir": Path(scratch) / "data"})
        try:
            inspection = asyncio.run(_inspect(spec, given, settings))
        except KeyboardInterrupt:
            complain("interrupted; the dry run was ended")
            return outcome.INTERRUPTED
    if inspection is None:
        return outcome.NO_EXECUTOR
    if as_json:
        print(inspection.model_dump_json())
    else:
        from manimcast.cli.timeline import show  # noqa: PLC0415

        show(inspection)
    return outcome.SCENE_FAILED if inspection.first_error else outcome.OK


async def _inspect(spec: RenderSpec, given: Given, settings: Settings) -> Inspection | None:
    """Return what the scenes come to, run here or else on Modal, if that is set up; None, with a complaint, if not."""
    from manimcast.executors.base import ExecutorError  # noqa: PLC0415
    from manimcast.executors.configured import from_settings  # noqa: PLC0415
    from manimcast.executors.inspection import Inspector  # noqa: PLC0415

    timeout = spec.timeout or settings.inspect_timeout
    able = [executor for executor in from_settings(settings) if isinstance(executor, Inspector)]
    failures: list[str] = []
    for executor in sorted(able, key=lambda one: not one.is_here):
        try:
            if executor.is_here:  # Modal's would also ask a container how it is, for nobody
                await executor.start()
            return await executor.inspect(spec, timeout=timeout, attached=given.attached)
        except ExecutorError as error:
            where = "here" if executor.is_here else f"on {executor.name.title()}"
            failures.append(f"scenes cannot be run {where}: {outcome.gist(str(error))}")
        finally:
            await executor.stop()
    for failure in failures:
        complain(failure, hint=outcome.DOCTOR if failure is failures[-1] else None)
    return None
