"""The posted files beside the code: written into the scene's folder, and imported from there like the code itself.

A posted module sees the same names without an import as the code does, and the same ``PARAMS``; its errors carry its
own name and lines. None may hide a module that is installed: whoever imports that, Manim first of all, would get it.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Collection, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

from manimcast.engine.errors import SceneFailure
from manimcast.engine.source import remember
from manimcast.spec import ErrorCode, SceneError

SUFFIX = ".py"


def place(files: Mapping[str, str], directory: Path) -> None:
    """Write ``files``, texts by their names, into ``directory``."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def make_importable(names: Collection[str], directory: Path, below: Mapping[str, Any]) -> None:
    """Have the Python files among ``names``, which lie in ``directory``, imported with ``below`` beneath their names.

    Raises :class:`SceneFailure` when one of them would hide another module.
    """
    modules = {name for name in names if name.endswith(SUFFIX)}
    for name in sorted(modules):
        _see_that_it_hides_nothing(name, directory)
    if modules:
        finder = PostedFinder({str(directory / name): name for name in modules}, directory, below)
        sys.meta_path.insert(sys.meta_path.index(PathFinder), finder)


def _see_that_it_hides_nothing(name: str, directory: Path) -> None:
    top = name.partition("/")[0].removesuffix(SUFFIX)
    if "/" in name and not (directory / top / f"__init__{SUFFIX}").exists():
        return  # a folder without it comes behind every real module
    found = PathFinder.find_spec(top, [entry for entry in sys.path if entry and entry != str(directory)])
    if top in sys.modules or top in sys.builtin_module_names or (found is not None and found.loader is not None):
        raise SceneFailure(
            SceneError(
                code=ErrorCode.exception,
                message=f"The file {name} would hide the module {top}, which is installed here.",
                hint="Give it another name, and import it by that.",
            )
        )


class PostedFinder:
    """Finds posted modules by their places: ``modules`` has their names by their paths."""

    def __init__(self, modules: Mapping[str, str], directory: Path, below: Mapping[str, Any]) -> None:
        self._modules = modules
        self._directory = str(directory)
        self._below = below

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,  # noqa: ARG002  the protocol's
    ) -> ModuleSpec | None:
        """Return where ``fullname`` is, if it was posted."""
        found = PathFinder.find_spec(fullname, path if path is not None else [self._directory])
        if found is None or found.origin is None or found.origin not in self._modules:
            return None
        found.loader = _Loader(fullname, found.origin, self._modules[found.origin], self._below)
        return found


class _Loader(SourceFileLoader):
    """Loads a module from the text that was posted, and keeps no compiled copy of it."""

    def __init__(self, fullname: str, path: str, name: str, below: Mapping[str, Any]) -> None:
        super().__init__(fullname, path)
        self._name = name
        self._below = below

    def source_to_code(self, data: Any, path: Any, *, _optimization: int = -1) -> types.CodeType:  # type: ignore[override]  # noqa: ARG002
        text = self.get_text(data)
        remember(text, self._name)
        return compile(data, self._name, "exec", dont_inherit=True, optimize=_optimization)

    def get_text(self, data: bytes) -> str:
        """Return the text that lines are counted in."""
        return data.decode("utf-8", "replace")

    def set_data(self, *_: Any, **__: Any) -> None:
        """Keep no compiled copy."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run it."""
        module.__dict__["__builtins__"] = self._below
        super().exec_module(module)


def is_posted(module: str) -> bool:
    """Whether the module of this name was loaded from a posted file."""
    return isinstance(getattr(sys.modules.get(module), "__loader__", None), _Loader)
