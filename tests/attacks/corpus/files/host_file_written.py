"""Writes into a file of the host that every user may write to.

Settings and programs of others are such files more often than they should be.
"""

EXPECT = "stopped"


def attack(target):
    with open(target.secret_file, "a") as file:
        file.write("I was here")
    return "wrote into it"
