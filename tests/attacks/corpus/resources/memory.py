"""Takes more memory than a render may have, in one process.

The machine would end whatever it takes for the largest, and that can be the service.
"""

EXPECT = "out_of_memory"
BARE = "out_of_memory"  # a limit of the process itself, in every tier


def attack(target):
    taken = []
    while len(taken) < 3 * target.memory >> 24:
        taken.append(b"x" * (1 << 24))
    return f"{len(taken) << 4} MiB"
