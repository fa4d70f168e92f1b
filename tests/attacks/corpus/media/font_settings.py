"""Points fontconfig at settings of its own, which take in files of the host.

Fonts are looked up in C, by a library that reads and writes files of its own.
"""

import os
import subprocess

EXPECT = "stopped"


def attack(target):
    with open("fonts.conf", "w") as file:
        file.write(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
            f"<include>{target.folder}/made.conf</include><dir>{target.folder}</dir>"
            f"<cachedir>{target.folder}/cache</cachedir></fontconfig>"
        )
    os.environ["FONTCONFIG_FILE"] = os.path.abspath("fonts.conf")
    subprocess.run(["fc-list"], stdout=subprocess.DEVNULL, check=False)
    return os.path.exists(f"{target.folder}/cache") and "it wrote a cache on the host"
