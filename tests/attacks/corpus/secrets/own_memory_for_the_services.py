"""Searches all of its memory for a secret of the service.

A child of the service's own process would have it, whatever its environment says.
"""

EXPECT = "stopped"
BARE = "stopped"  # every tier starts the warm process afresh, not as a copy of the service


def attack(target):
    decoy = "".join(chr(ord(letter) + 1) for letter in "khnm,`s,k`qfd")
    if not target.remembers("".join(chr(ord(letter) + 1) for letter in decoy)):
        raise RuntimeError("the search does not find what is there")
    return target.remembers(target.shifted_secret)
