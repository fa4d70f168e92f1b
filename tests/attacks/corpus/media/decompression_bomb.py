"""Unpacks a file of which kilobytes become gigabytes.

Data files come packed; nobody sees from outside what is in them.
"""

import zlib

EXPECT = "out_of_memory"
BARE = "out_of_memory"


def attack(target):
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)  # may be repeated
    return len(zlib.decompress(piece * (3 * target.memory >> 24) + packer.flush(), wbits=-15)) >> 20
