"""Has the kernel tell it whenever another render reads in a folder of TeX's.

Which packages a document uses says a good deal about it.
"""

import fcntl
import os

EXPECT = "stopped"


def attack(target):
    folder = os.open("/usr/share/fonts", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.fcntl(folder, fcntl.F_NOTIFY, fcntl.DN_ACCESS | fcntl.DN_MULTISHOT)
    return "it will be told"
