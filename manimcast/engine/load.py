"""From posted text to a scene class.

The code runs as the module ``scene`` in the file ``scene.py``. Names of ``from manim import *`` and
``from math import *``, and ``PARAMS``, are there without an import: they lie beneath the builtins, so that the
module's own names come first, then the builtins (``pow`` stays the builtin), then these. Nothing is put in front of
the code, so line numbers are those of the posted text.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from manim import Scene

from manimcast.engine import attachments, posted
from manimcast.engine.errors import SceneFailure
from manimcast.engine.prelude import prelude
from manimcast.engine.source import FILE, remember, syntax_error
from manimcast.names import check_together
from manimcast.spec import ErrorCode, RenderSpec, SceneError

MODULE = "scene"


def load(spec: RenderSpec, directory: Path, arrived: Path | None = None) -> types.ModuleType:
    """Run the code of ``spec`` as a module and return it, with everything around it that it may look for.

    The assets lie in the folder ``arrived``. Raises :class:`SceneFailure`, and whatever the code raises.
    """
    attached = attachments.place(spec.assets, arrived, directory)
    try:
        check_together((*spec.files, *attached))
    except ValueError as error:  # an archive has what is posted as well
        message = f"The files do not go together: {error}."
        raise SceneFailure(SceneError(code=ErrorCode.exception, message=message)) from None
    return load_module(spec.code, directory, spec.params, spec.files, attached)


def load_module(
    code: str,
    directory: Path,
    params: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
    attached: Iterable[str] = (),
) -> types.ModuleType:
    """Run ``code``, which sees ``params`` as ``PARAMS``, as a module and return it.

    It can import ``files``, and those in ``directory`` that ``attached`` names.

    The text is also written to ``scene.py`` in ``directory``, for code that reads its own file. Raises
    :class:`SceneFailure` for a syntax error, and whatever the code raises.
    """
    below = prelude(params)
    posted.place(files or {}, directory)
    posted.make_importable([*(files or {}), *attached], directory, below)
    (directory / FILE).write_text(code, encoding="utf-8")
    remember(code)
    try:
        compiled = compile(code, FILE, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise SceneFailure(syntax_error(error)) from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        # Null bytes, and nesting deeper than the parser goes.
        message = str(error) or "the code is nested too deeply for Python's parser"
        failure = SceneError(code=ErrorCode.syntax_error, message=message, exception=type(error).__name__)
        raise SceneFailure(failure) from None
    module = types.ModuleType(MODULE)
    module.__file__ = str(directory / FILE)
    module.__dict__["__builtins__"] = below
    sys.modules[MODULE] = module
    sys.path.insert(0, str(directory))
    exec(compiled, module.__dict__)  # noqa: S102  running posted code is what a render is
    return module


def scenes_in(module: types.ModuleType) -> dict[str, type[Scene]]:
    """Return the scene classes that ``module`` itself defines, by name, in the order of definition.

    Where it defines none, those count that it has imported from posted files.
    """
    scenes = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Scene)]
    own = {value.__name__: value for value in scenes if value.__module__ == module.__name__}
    return own or {value.__name__: value for value in scenes if posted.is_posted(value.__module__)}


def choose_scene(module: types.ModuleType, name: str | None) -> type[Scene]:
    """Return the scene called ``name``, or the only one there is.

    Raises :class:`SceneFailure` when there is no scene, none of that name, or more than one and no name.
    """
    scenes = scenes_in(module)
    if not scenes:
        raise SceneFailure(
            SceneError(
                code=ErrorCode.no_scene,
                message="The code defines no scene.",
                hint="Define a class that derives from Scene, with a construct method: class Demo(Scene): ...",
            )
        )
    listed = ", ".join(scenes)
    if name is None:
        if len(scenes) > 1:
            raise SceneFailure(
                SceneError(
                    code=ErrorCode.scene_not_found,
                    message=f"The code defines {len(scenes)} scenes, and none was named: {listed}."[:4000],
                    hint="Name the scene to render.",
                )
            )
        return next(iter(scenes.values()))
    if name not in scenes:
        raise SceneFailure(
            SceneError(
                code=ErrorCode.scene_not_found,
                message=f"There is no scene {name!r} in the code. Scenes there: {listed}."[:4000],
                hint=_nearest(name, scenes),
            )
        )
    return scenes[name]


def _nearest(name: str, scenes: dict[str, type[Scene]]) -> str | None:
    import difflib  # noqa: PLC0415  only on the way to an error

    close = difflib.get_close_matches(name, scenes, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else None
