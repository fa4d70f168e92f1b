"""Makes very many empty files.

A file system can be full of nothing; and somebody has to clear it away.
"""

import os

EXPECT = "stopped"

MANY = 20_000


def attack(target):
    for number in range(MANY):
        os.close(os.open(f"{number:x}", os.O_CREAT | os.O_WRONLY))
    return f"{MANY} files"
