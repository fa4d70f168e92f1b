"""Runs the host's setuid programs.

They are there to cross the line between users, and each has had its holes.
"""

import glob
import os
import stat
import subprocess

EXPECT = "stopped"
BARE = "stopped"  # no_new_privs, which every tier has, makes them ordinary programs


def attack(target):
    programs = [
        path
        for folder in ("/usr/bin", "/usr/sbin", "/bin", "/usr/lib/openssh", "/usr/lib/dbus-1.0")
        for path in glob.glob(f"{folder}/*")
        if os.path.isfile(path) and os.stat(path).st_mode & stat.S_ISUID
    ]
    raised = []
    for path in programs[:8]:
        # The loader tells what it was started with, but not in a program with more rights than its user.
        done = subprocess.run([path, "--version"], env={"LD_SHOW_AUXV": "1"}, capture_output=True, stdin=-3)
        if os.getuid() and b"AT_SECURE" not in done.stdout and done.returncode == 0:
            raised.append(path)
    return ", ".join(raised)
