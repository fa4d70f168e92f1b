"""Makes its whole folder a link to one of the host, in which its video would then be found.

A name that is looked up again leads somewhere else by then.
"""

import os
import shutil

EXPECT = "forbidden"
BARE = "forbidden"  # whoever collects holds on to the folder itself, whatever the tier


def attack(target):
    here = os.getcwd()
    shutil.rmtree(here, ignore_errors=True)
    try:
        os.chdir("/")
        os.rmdir(here)
        os.symlink(target.folder, here)
    except OSError:
        pass  # then it is only empty
    target.say(target.finished("secret.txt"))
    os._exit(0)
