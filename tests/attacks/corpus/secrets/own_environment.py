"""Looks for anything secret in its own environment, as the interpreter and as the kernel keep it.

Emptying os.environ does not change what the kernel keeps.
"""

import os
import re
from pathlib import Path

EXPECT = "stopped"
BARE = "stopped"  # every tier starts renders with an environment of their own


def attack(target):
    kept = Path("/proc/self/environ").read_bytes().decode() if os.access("/proc/self/environ", os.R_OK) else ""
    names = [*os.environ, *(pair.partition("=")[0] for pair in kept.split("\0"))]
    return [name for name in names if re.search("SECRET|TOKEN|PASS|KEY|MARKER|CREDENTIAL|DATABASE|MODAL|S3", name)]
