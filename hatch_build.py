"""The build of the wheel: compiles the engine's native part where there is a compiler.

Without one, or where it fails, the wheel is one of pure Python. That draws the same pictures, but slowly, so it is
said. ``pip install --editable`` puts the extension beside its sources.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = "manimcast/engine/native"


class NativeBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled extension to the wheel, and with it the tags of interpreter and platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are gathered; ``version`` is "standard" or "editable"."""
        if self.target_name != "wheel":
            return
        source = Path(self.root, NATIVE, "build.py")
        spec = importlib.util.spec_from_file_location("native_build", source)
        build: Any = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        spec.loader.exec_module(build)  # type: ignore[union-attr]
        self._folder = tempfile.TemporaryDirectory(prefix="manimcast-native-")
        beside = version == "editable"
        compiled: Path = build.target() if beside else build.target(Path(self._folder.name))
        try:
            if not build.is_current(compiled):
                build.compile_to(compiled)
        except build.BuildError as error:
            self.app.display_warning(f"The native part of the engine was left out: {error}")
            return
        if not beside:
            build_data["force_include"][str(compiled)] = f"{NATIVE}/{compiled.name}"
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what the wheel has a copy of by now."""
        if self.target_name == "wheel":
            self._folder.cleanup()
