"""What a dry run hears of while the scene runs: plays that are too short, and TeX that nobody can typeset."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from manim import config
from manim.scene.scene import Scene
from manim.utils import tex_file_writing

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.scene.scene.Scene.validate_run_time",
        Scene.validate_run_time.__func__,  # type: ignore[attr-defined]
        "401c6a1c4b9082a42c6e7efa00da449f8125ae723861b0931153e6ffaeb92557",
        "It makes a play as long as a frame, and only its log tells.",
    ),
    Patch(
        "manim.utils.tex_file_writing.compile_tex",
        tex_file_writing.compile_tex,
        "9677cc066a1d7838bb3f008d010937561b6d857b06a1148d56ede8ee009e673d",
        "It says that there is no file named latex, and not what wanted it.",
    ),
)

_original_validate_run_time = Scene.validate_run_time.__func__  # type: ignore[attr-defined]


def install(short_play: Callable[[float], None], no_compiler: Callable[[str, Path], None]) -> None:
    """Call ``short_play`` with a run time in seconds that is shorter than a frame, before it is made longer.

    ``no_compiler`` gets the name of a TeX compiler that is not there, and the document.
    """
    compile_tex = tex_file_writing.compile_tex

    @functools.wraps(_original_validate_run_time)
    def validate_run_time(cls: type[Scene], run_time: float, *args: Any, **kwargs: Any) -> float:
        if 0 < run_time < 1 / config.frame_rate:
            short_play(run_time)
        validated: float = _original_validate_run_time(cls, run_time, *args, **kwargs)
        return validated

    @functools.wraps(compile_tex)
    def compile_where_possible(tex_file: Path, tex_compiler: str | Sequence[str], output_format: str) -> Path:
        compilers = [tex_compiler] if isinstance(tex_compiler, str) else tex_compiler
        for compiler in (*compilers, "dvisvgm"):
            if shutil.which(compiler) is None:
                no_compiler(compiler, tex_file)
        return compile_tex(tex_file, tex_compiler, output_format)  # type: ignore[arg-type]

    Scene.validate_run_time = classmethod(validate_run_time)  # type: ignore[assignment,method-assign]
    tex_file_writing.compile_tex = compile_where_possible
