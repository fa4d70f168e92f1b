"""Makes a new file in a folder of the host that every user may write to.

Programs of the host read what lies in certain folders.
"""

import os

EXPECT = "stopped"


def attack(target):
    os.close(os.open(os.path.join(target.folder, "made"), os.O_CREAT | os.O_WRONLY))
    return "made it"
