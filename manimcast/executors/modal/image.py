"""The image of the containers on Modal: what scenes find there, installed from the same locks as everywhere else."""

from __future__ import annotations

from pathlib import Path

import modal

import manimcast
from manimcast.executors.modal.container import USER_VARIABLE
from manimcast.executors.modal.protocol import MARGIN, render_memory
from manimcast.settings import Settings

PYTHON = "3.11"
SOURCE = "/opt/manimcast"
"""Where the package lies in a container. Not in /root, which other users cannot enter."""
USER = "scene"
PREPARED_TEX = "/opt/manimcast-tex"
"""Where common TeX lies, typeset when the image is built: containers share no cache."""
PREPARE = (
    "__init__.py",
    "attached.py",
    "harmless.py",
    "names.py",
    "params.py",
    "sources.py",
    "spec.py",
    "tex.py",
    *(f"engine/{name}.py" for name in ("__init__", "common_tex", "errors", "fingerprint", "prepare")),
    "engine/aside.py",
    "engine/native/__init__.py",
    "engine/patches/__init__.py",
    "engine/patches/patch.py",
    "engine/patches/tex.py",
    "engine/prepared.py",
    "engine/surroundings.py",
)
"""What of the package typesets it. Only when this changes is that done again."""

BUILD = ("gcc", "libc6-dev", "pkg-config", "libcairo2-dev", "libpango1.0-dev", "git", "curl")
"""What compiles pycairo and manimpango, which have no wheels."""
RUN = ("ffmpeg", "fontconfig", "libegl1", "libgl1", "libgl1-mesa-dri", "bubblewrap")
LATEX = (
    "texlive-latex-extra",
    "texlive-fonts-recommended",
    "texlive-fonts-extra",
    "texlive-science",
    "texlive-plain-generic",
    "texlive-xetex",
    "texlive-luatex",
    "texlive-lang-chinese",
    "texlive-lang-japanese",
    "texlive-lang-cyrillic",
    "texlive-lang-greek",
    "cm-super",
    "dvisvgm",
    "lmodern",
    "tipa",
)
FONTS = (
    "fonts-dejavu",
    "fonts-liberation",
    "fonts-noto-cjk",
    "fonts-noto-core",
    "fonts-noto-mono",
    "fonts-roboto",
    "fonts-open-sans",
)

LOCKS = ("requirements-build.txt", "requirements-local.txt", "requirements-scenes.txt")
"""The locks, in the order of their installation: the tools that build, the engine with manim, what scenes import."""


def build(settings: Settings) -> modal.Image:
    """Return the image; Modal builds it when the app is deployed, and keeps it until something in it changes."""
    image = modal.Image.debian_slim(python_version=PYTHON).apt_install(*BUILD, *RUN, *LATEX, *FONTS)
    for name in LOCKS:
        image = image.pip_install_from_requirements(
            str(lock(name)), extra_options="--require-hashes --no-deps --no-build-isolation"
        )
    package = Path(manimcast.__file__).parent
    for name in PREPARE:
        image = image.add_local_file(package / name, f"{PREPARED_TEX}.made-by/{package.name}/{name}", copy=True)
    return (
        image.run_commands(f"PYTHONPATH={PREPARED_TEX}.made-by python -m manimcast.engine.prepare {PREPARED_TEX}")
        .run_commands(f"useradd --system --no-create-home --shell /usr/sbin/nologin {USER}")
        .env(environment(settings))
        # Copied, not mounted, since the native part is compiled there: what this machine compiled is for this machine.
        .add_local_dir(package, f"{SOURCE}/{package.name}", copy=True, ignore=["**/__pycache__", "**/*.so"])
        .run_commands(f"python {SOURCE}/{package.name}/engine/native/build.py --if-possible")
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a container: no secrets, only what bounds a render."""
    return {
        "PYTHONPATH": SOURCE,
        USER_VARIABLE: USER,
        "PREPARED_TEX": PREPARED_TEX,
        "USE_MODAL": "false",
        "RENDER_SLOTS": "1",
        "RENDER_CORES": str(settings.modal_drawers),
        "RENDER_MEMORY": str(render_memory(settings.modal_memory)),
        "RENDER_DISK": str(min(settings.render_disk, settings.modal_memory // 4)),
        "RENDER_TIMEOUT": str(settings.modal_timeout - MARGIN),
        "RENDER_PROCESSES": str(settings.render_processes),
        "TEX_TIMEOUT": str(settings.tex_timeout),
        "MAX_VIDEO_MIB": str(settings.max_video_mib),
    }


def lock(name: str) -> Path:
    """Return where the lock file ``name`` is: in the checkout, or beside this module in an installed package."""
    checkout = Path(manimcast.__file__).parent.parent / name
    return checkout if checkout.is_file() else Path(__file__).with_name("locks") / name
