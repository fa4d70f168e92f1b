"""Text from strangers, made harmless to show: no terminal obeys it, and nothing turns its direction of reading."""

from __future__ import annotations

import re

# Whole escape sequences first, so that nothing of them is left; then control characters but tab and line feed, halves
# of characters, and what turns the direction of reading around.
_HARMFUL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)


def harmless(text: str) -> str:
    """Return ``text`` without control characters, but for tabs and line feeds."""
    return _HARMFUL.sub("", text.replace("\r\n", "\n"))
