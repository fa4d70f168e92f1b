"""Compile the extension: ``python build.py`` puts it beside its sources, unless what is there was made from them.

``--check`` only says by its status whether it is there; ``--if-possible`` is content without it.

Used by ./dev, by the build of the wheel and by the image on Modal. It needs a C compiler and Python's headers,
nothing else, and is run as a file, so that nothing of the package has to be importable.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).parent
NAME = "_native"
FLAGS = (
    *("-std=c11", "-O3", "-fPIC", "-fvisibility=hidden", "-fno-math-errno", "-pthread"),
    "-ffp-contract=off",  # a fused multiply-add rounds once where NumPy rounds twice
    *("-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers"),
)
SHARED = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)
REMEDY = (
    "It needs a C compiler and Python's headers (on Debian: gcc libc6-dev python3-dev). "
    "Without the extension everything is drawn in Python: the same pictures, but slowly."
)


class BuildError(Exception):
    """There is no compiler, or it failed. The message has what it said, and what would help."""


def sources() -> list[Path]:
    """Return the C files, in a fixed order."""
    return sorted(HERE.glob("*.c"))


def digest() -> str:
    """Return what the extension is known by: a digest over its sources, this file and the interpreter."""
    content = hashlib.sha256(sys.version.encode())
    for path in (*sources(), *sorted(HERE.glob("*.h")), Path(__file__)):
        content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:32]


def target(directory: Path = HERE) -> Path:
    """Return the file that the extension is in, for this interpreter."""
    return directory / (NAME + (sysconfig.get_config_var("EXT_SUFFIX") or ".so"))


def is_current(path: Path) -> bool:
    """Whether ``path`` was made from the sources as they are."""
    return path.is_file() and digest().encode() in path.read_bytes()


def compile_to(path: Path) -> None:
    """Compile the extension to ``path``; what was there before stays until the new one is whole.

    Raises
    ------
    BuildError
        If that is not possible here.
    """
    includes = dict.fromkeys((sysconfig.get_path("include"), sysconfig.get_path("platinclude")))
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    command = [
        *_compiler(),
        *FLAGS,
        *SHARED,
        *(f"-I{folder}" for folder in includes),
        f'-DSOURCES="{digest()}"',
        *map(str, sources()),
        *("-o", str(unfinished), "-lm", "-ldl"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise BuildError(f"{shlex.join(command)}\n{done.stderr.strip()[-4000:]}\n{REMEDY}")
        unfinished.replace(path)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{error}. {REMEDY}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _compiler() -> list[str]:
    """Return the compiler: the one that is asked for, else the one that Python was built with, else any ``cc``."""
    return shlex.split(os.environ.get("CC") or "") or ["cc"]


def main() -> int:
    """Compile where needed, say so; 1 when it cannot be done."""
    path = target()
    if is_current(path):
        return 0
    if "--check" in sys.argv:
        return 1
    try:
        compile_to(path)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 0 if "--if-possible" in sys.argv else 1
    sys.stdout.write(f"compiled {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
