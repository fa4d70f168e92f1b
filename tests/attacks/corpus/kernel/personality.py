"""Switches off the random placement of its memory, and makes all of it executable.

Programs that it starts then lie where an exploit expects them.
"""

EXPECT = "stopped"

ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC = 0x0040000, 0x0400000


def attack(target):
    return f"was {target.syscall('personality', ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC):#x}"
