"""Runs a program under the filter: ``python -m tests.sandbox.filtered COMMAND [ARGUMENT..]``."""

from __future__ import annotations

import os
import sys

from manimcast.sandbox.host import seccomp
from manimcast.sandbox.inside import kernel


def install() -> None:
    """Put this process, for good, under the filter of renders."""
    kernel.no_new_privileges()
    kernel.restrict_system_calls(seccomp.program())


if __name__ == "__main__":
    install()
    os.execvp(sys.argv[1], sys.argv[1:])
