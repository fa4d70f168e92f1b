"""The assets of a render: put where the scene looks for them, fonts made known to Pango, archives unpacked.

They are written after the engine has looked at its folder, so that whoever typesets TeX takes note of them as of what
the scene itself brings.
"""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Sequence
from pathlib import Path

from manim import Text
from manimpango import cmanimpango, register_font

from manimcast.attached import AssetKind, AssetUse
from manimcast.engine.errors import SceneFailure
from manimcast.engine.unpack import UnpackError, unpack
from manimcast.names import SourcedName, check_together
from manimcast.spec import ErrorCode, SceneError

FONTS = (".ttf", ".otf", ".ttc", ".otc")


def place(assets: Sequence[AssetUse], arrived: Path | None, directory: Path) -> tuple[str, ...]:
    """Move ``assets`` from the folder ``arrived``, where they lie by their numbers, into ``directory``.

    Returns the names of all files that there are by then, which know what brought them. Raises :class:`SceneFailure`,
    for an archive that is not unpacked, files that cannot lie there together, or a font that cannot be read.
    """
    found: dict[str, Path] = {}
    names: list[str] = []
    for number, asset in enumerate(assets):
        assert arrived is not None  # noqa: S101  whoever has assets has bytes for them
        if asset.kind is AssetKind.archive:
            aside = arrived / f"{number}.unpacked"
            unpacked = _unpacked(arrived / str(number), asset, aside)
            names += (SourcedName.of(name, f"the archive {asset.name}") for name in unpacked)
            found |= {name: aside / name for name in unpacked}
        else:
            names.append(SourcedName.of(asset.name, "assets"))
            found[asset.name] = arrived / str(number)
    _see_that_they_fit(names)
    for name, path in found.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        path.rename(directory / name)
    if arrived is not None:
        _remove_what_is_left(arrived)
    if fonts := [name for name in names if name.lower().endswith(FONTS)]:
        register(fonts, directory)
    return tuple(names)


def _unpacked(archive: Path, asset: AssetUse, aside: Path) -> tuple[str, ...]:
    """Unpack ``archive`` into the new folder ``aside``, where nothing else is; return the names of its files."""
    try:
        names = unpack(archive, aside, asset.name.rpartition("/")[0])
    except UnpackError as error:
        message = f"The archive {asset.name} cannot be unpacked: {error}."[:4000]
        named = SceneError(code=ErrorCode.exception, message=message, exception=type(error).__name__)
        raise SceneFailure(named) from None
    archive.unlink()
    return names


def _see_that_they_fit(names: Sequence[str]) -> None:
    try:
        check_together(names)
    except ValueError as error:  # the service has seen to it already where no archive is
        raise SceneFailure(
            SceneError(
                code=ErrorCode.exception,
                message=f"The files do not go together: {error}.",
                hint='Leave one out, or have the archive unpacked in a folder: {"id": ..., "name": "lib/project.zip"}.',
            )
        ) from None


def _remove_what_is_left(arrived: Path) -> None:
    """Remove the folders in which archives were unpacked; what was in them has been moved."""
    for aside in arrived.glob("*.unpacked"):
        shutil.rmtree(aside)


def register(fonts: Sequence[str], directory: Path) -> None:
    """Make the fonts in these files known to Pango, in this process and those that it forks.

    A text names a font by its family, which is in the file.
    """
    for name in fonts:
        if not register_font(str(directory / name)):
            raise SceneFailure(
                SceneError(
                    code=ErrorCode.exception,
                    message=f"The font {name} cannot be read.",
                    hint="It must be a TrueType or OpenType font. WOFF fonts have to be converted.",
                )
            )
    _look_again()
    Text.font_list.cache_clear()  # Manim asks once, and warns of what was not there then


def _look_again() -> None:
    """Have Pango look for its fonts anew: it does that once, and a warm process has typeset text already."""
    pango = ctypes.CDLL(cmanimpango.__file__)  # and with it the libraries that it was linked with
    pango.pango_cairo_font_map_get_default.restype = ctypes.c_void_p
    pango.pango_fc_font_map_config_changed.argtypes = [ctypes.c_void_p]
    pango.pango_fc_font_map_config_changed(pango.pango_cairo_font_map_get_default())
