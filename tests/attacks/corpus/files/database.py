"""Opens the service's database.

It holds the code that everybody posted, and decides what is rendered for whom.
"""

import os

EXPECT = "stopped"


def attack(target):
    database = os.open(os.path.join(target.data, "manimcast.db"), os.O_RDWR)
    return os.read(database, 15)
