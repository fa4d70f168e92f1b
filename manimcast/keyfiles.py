"""Secrets that the service makes for itself, each in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path


def make_once(path: Path, make: Callable[[], str]) -> str:
    """Return what the file ``path`` says; it is made with what ``make`` returns, if it is not there.

    Any number of processes may do this at once; all get the same. May raise ``OSError``.
    """
    if not path.exists():
        with _draft(path, make()) as draft, contextlib.suppress(FileExistsError):
            os.link(draft, path)
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    path.chmod(0o600)
    return text


def replace(path: Path, text: str) -> None:
    """Have the file ``path`` say ``text`` instead; whoever reads it meanwhile gets one or the other."""
    with _draft(path, text) as draft:
        draft.rename(path)


@contextlib.contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """Write ``text`` beside ``path`` first, so that nobody ever reads half of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
