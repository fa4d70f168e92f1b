"""Searches all of its memory for something that the render before it had in its code.

The warm process forks one render after the other: what it has ever read, each of them inherits.
"""

import secrets

EXPECT = "stopped"
BARE = "stopped"  # in every tier it is the render that reads its job, never the warm process


def attack(target):
    return target.step == "search" and target.remembers(target.shifted)


def drive(host):
    secret = secrets.token_hex(16)
    host.render(step=secret)
    host.render(step="search", facts={"shifted": "".join(chr(ord(letter) + 1) for letter in secret)})
