"""Maps a file of the host into its memory, instead of reading it.

Who watches for reading sees nothing of that.
"""

import mmap

EXPECT = "stopped"


def attack(target):
    with open(target.secret_file, "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:]
