"""Makes a file of a terabyte, of which nothing is written.

Who copies it, fills the disk.
"""

EXPECT = "stopped"
BARE = "stopped"  # a limit of the process itself, in every tier


def attack(target):
    with open("large", "wb") as file:
        file.truncate(1 << 40)
    return "1 TiB"
