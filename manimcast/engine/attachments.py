"""The assets of a render: put where the scene looks for them, fonts made known to Pango, archives unpacked.

They are written after the engine has looked at its folder, so that whoever typesets TeX takes note of them as of what
the scene itself brings.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

from manim import Text
from manimpango import cmanimpango, register_font

from manimcast.attached import AssetKind, AssetUse
from manimcast.engine.errors import SceneFailure
from manimcast.engine.unpack import UnpackError, unpack
from manimcast.spec import ErrorCode, SceneError

FONTS = (".ttf", ".otf", ".ttc", ".otc")


def place(assets: Sequence[AssetUse], arrived: Path | None, directory: Path) -> tuple[str, ...]:
    """Move ``assets`` from the folder ``arrived``, where they lie by their numbers, into ``directory``.

    Returns the names of all files that there are by then. Raises :class:`SceneFailure`, for an archive that is not
    unpacked, or a font that cannot be read.
    """
    names: list[str] = []
    for number, asset in enumerate(assets):
        assert arrived is not None  # noqa: S101  whoever has assets has bytes for them
        if asset.kind is AssetKind.archive:
            names += _unpacked(arrived / str(number), asset, directory)
            continue
        path = directory / asset.name
        path.parent.mkdir(parents=True, exist_ok=True)
        (arrived / str(number)).rename(path)
        names.append(asset.name)
    if fonts := [name for name in names if name.lower().endswith(FONTS)]:
        register(fonts, directory)
    return tuple(names)


def _unpacked(arrived: Path, asset: AssetUse, directory: Path) -> tuple[str, ...]:
    try:
        names = unpack(arrived, directory, asset.name.rpartition("/")[0])
    except (UnpackError, FileExistsError, NotADirectoryError) as error:
        reason = str(error) if isinstance(error, UnpackError) else "a file of it is there already"
        message = f"The archive {asset.name} cannot be unpacked: {reason}."[:4000]
        named = SceneError(code=ErrorCode.exception, message=message, exception=type(error).__name__)
        raise SceneFailure(named) from None
    arrived.unlink()
    return names


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
