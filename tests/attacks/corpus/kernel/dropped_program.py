"""Runs a program that it wrote itself, by path and by descriptor.

Python does not need one, but tools to break out of sandboxes come as programs.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess

EXPECT = "stopped"

AT_EMPTY_PATH = 0x1000


def attack(target):
    shutil.copyfile("/usr/bin/true", "program")
    with contextlib.suppress(OSError):
        os.chmod("program", 0o700)
    with contextlib.suppress(OSError):
        return f"by path: {subprocess.run(['./program'], check=True).returncode}"
    program = os.open("program", os.O_RDONLY)
    arguments = (ctypes.c_char_p * 2)(b"program", None)
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            target.syscall("execveat", program, b"", arguments, (ctypes.c_char_p * 1)(None), AT_EMPTY_PATH)
        os._exit(1)
    return os.waitpid(pid, 0)[1] == 0 and "by descriptor"
