"""A real file of each kind, made on the spot, and what hands them to an executor."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import av
import numpy as np
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from manimcast.assets.kinds import kind_of
from manimcast.attached import AssetUse, asset_id
from manimcast.executors.attachment import Attachment

FAMILY = "Manimcast Sample"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10"/></svg>'


def picture(kind: str, color: tuple[int, int, int] = (255, 255, 255)) -> bytes:
    """Return a picture of one colour, in one of Pillow's formats."""
    out = io.BytesIO()
    Image.new("RGB", (40, 20), color).save(out, kind)
    return out.getvalue()


def font(family: str = FAMILY, *, width: int = 1000) -> bytes:
    """Return a TrueType font in which every letter is a block, ``width`` of 1000 units wide."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    names = [".notdef", "space", *letters]
    pen = TTGlyphPen(None)
    for first, point in enumerate([(0, 0), (0, 700), (width, 700), (width, 0)]):
        pen.lineTo(point) if first else pen.moveTo(point)
    pen.closePath()
    block, empty = pen.glyph(), TTGlyphPen(None).glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({32: "space", **{ord(letter): letter for letter in letters}})
    builder.setupGlyf({name: empty if name == "space" else block for name in names})
    builder.setupHorizontalMetrics(dict.fromkeys(names, (width + 100, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


def sound(container: str, codec: str, seconds: float = 0.5) -> bytes:
    """Return a tone."""
    out = io.BytesIO()
    rate = 48_000
    wave = (np.sin(np.arange(int(rate * seconds)) / 20) * 20_000).astype(np.int16)
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.frame_size or None)
        for one in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(one))
        file.mux(stream.encode(None))
    return out.getvalue()


def archive(files: Mapping[str, bytes | str]) -> bytes:
    """Return a zip with ``files``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return out.getvalue()


def use_of(name: str, content: bytes) -> AssetUse:
    """Return what a spec says of an asset, as the service finds it out."""
    try:
        content.decode()
        is_text = b"\0" not in content
    except UnicodeDecodeError:
        is_text = False
    kind = kind_of(name.rpartition("/")[2], content[:4096], is_text=is_text).kind
    return AssetUse(id=asset_id(hashlib.sha256(content).hexdigest()), name=name, kind=kind, bytes=len(content))


@contextmanager
def attachments(files: Mapping[str, bytes]) -> Iterator[tuple[Attachment, ...]]:
    """Have ``files`` open, as an executor is given them."""
    with ExitStack() as stack:
        found = []
        for content in files.values():
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(content)
            file.flush()
            found.append(Attachment(file, len(content)))
        yield tuple(found)
