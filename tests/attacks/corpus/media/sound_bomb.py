"""Adds a sound whose header promises four gigabytes.

Who makes room for what a header promises has none left.
"""

import struct

EXPECT = {"stopped", "out_of_memory"}
BARE = {"stopped", "out_of_memory"}


def attack(target):
    with open("bomb.wav", "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt ")
        file.write(struct.pack("<IHHIIHH", 16, 1, 2, 192000, 0xFFFFFFFF, 4, 16))
        file.write(b"data" + struct.pack("<I", 0xFFFFFFF0) + b"x" * 1000)
    target.scene.add_sound("bomb.wav")
