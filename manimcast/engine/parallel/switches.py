"""What the engine may do to be fast, so that each of it can be tried without."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switches:
    """What may be done.

    ``fork``: have other processes draw. ``split``: have several draw one play.
    ``share``: have several draw one part of a play, frame by frame. ``skip``: step over plays whose frames
    depend on their time alone. ``behind``: encode in a thread what is drawn in the process itself. ``always`` does all
    that even where it does not pay.
    """

    fork: bool = True
    split: bool = True
    share: bool = True
    skip: bool = True
    behind: bool = True
    always: bool = False


ALL = Switches()
"""Everything, where it pays."""
