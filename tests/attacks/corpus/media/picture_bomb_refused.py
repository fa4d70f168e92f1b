"""Gives manim a picture that unpacks to gigabytes, with Pillow's own guard in place.

The guard is only an exception, which must end as a clear answer.
"""

import struct
import zlib

from manim import ImageMobject
from PIL import Image

EXPECT = {"stopped", "out_of_memory"}
BARE = {"stopped", "out_of_memory"}

SIDE = 60_000


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def attack(target):
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    with open("bomb.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    try:
        return ImageMobject("bomb.png").get_width()
    except Image.DecompressionBombError:
        return None
