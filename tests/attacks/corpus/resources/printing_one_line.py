"""Prints one line without end, past the interpreter, to what it has as standard error.

Who reads line by line, keeps all of it.
"""

import os

EXPECT = "output_too_large"
BARE = "output_too_large"


def attack(target):
    while True:
        os.write(2, b"x" * 65536)
