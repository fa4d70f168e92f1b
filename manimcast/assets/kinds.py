"""What an uploaded file is, by its leading bytes; what is none of these is not taken.

Nothing here decodes anything: that happens in the render, confined. The ending of the name must be one of the kind's,
as Manim goes by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from manimcast.attached import AssetKind

HEAD_BYTES = 4096
"""Of a file, as many as are looked at."""


@dataclass(frozen=True)
class Type:
    """A type of file: what it is called, and the endings that names of such files have."""

    kind: AssetKind
    media_type: str
    endings: tuple[str, ...]


Begins = Callable[[bytes], bool]


def _at(offset: int, *marks: bytes) -> Begins:
    return lambda head: head.startswith(marks, offset)


def _riff(form: bytes) -> Begins:
    return lambda head: head.startswith(b"RIFF") and head[8:12] == form


_BINARY: tuple[tuple[Begins, Type], ...] = (
    (_at(0, b"\x89PNG\r\n\x1a\n"), Type(AssetKind.image, "image/png", ("png",))),
    (_at(0, b"\xff\xd8\xff"), Type(AssetKind.image, "image/jpeg", ("jpg", "jpeg"))),
    (_at(0, b"GIF87a", b"GIF89a"), Type(AssetKind.image, "image/gif", ("gif",))),
    (_riff(b"WEBP"), Type(AssetKind.image, "image/webp", ("webp",))),
    (lambda head: head[:2] == b"BM" and head[6:10] == bytes(4), Type(AssetKind.image, "image/bmp", ("bmp",))),
    (_at(0, b"\0\1\0\0", b"true"), Type(AssetKind.font, "font/ttf", ("ttf",))),
    (_at(0, b"OTTO"), Type(AssetKind.font, "font/otf", ("otf",))),
    (_at(0, b"ttcf"), Type(AssetKind.font, "font/collection", ("ttc", "otc"))),
    (_riff(b"WAVE"), Type(AssetKind.sound, "audio/wav", ("wav",))),
    (_at(0, b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"), Type(AssetKind.sound, "audio/mpeg", ("mp3",))),
    (_at(0, b"OggS"), Type(AssetKind.sound, "audio/ogg", ("ogg", "oga"))),
    (_at(0, b"fLaC"), Type(AssetKind.sound, "audio/flac", ("flac",))),
    (_at(0, b"PK\3\4", b"PK\5\6"), Type(AssetKind.archive, "application/zip", ("zip",))),
)
_SVG = Type(AssetKind.svg, "image/svg+xml", ("svg",))
_TEXTS: tuple[Type, ...] = (
    Type(AssetKind.data, "text/csv", ("csv",)),
    Type(AssetKind.data, "text/tab-separated-values", ("tsv",)),
    Type(AssetKind.data, "application/json", ("json",)),
    Type(AssetKind.data, "text/plain", ("txt", "md", "yaml", "yml", "toml")),
    Type(AssetKind.python, "text/x-python", ("py",)),
)
TAKEN = sorted(
    {ending for _, one in _BINARY for ending in one.endings} | {"svg"} | {e for t in _TEXTS for e in t.endings}
)
"""All endings that a name may have."""


class KindError(Exception):
    """A file is none that is taken, or is called something else. The message says which."""


def kind_of(name: str, head: bytes, *, is_text: bool) -> Type:
    """Return what a file is that is called ``name`` and begins with ``head``; ``is_text``: all of it is UTF-8 text.

    Raises :class:`KindError`.
    """
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    found = _by_content(ending, head, is_text=is_text)
    if found is None:
        if ending in TAKEN:
            wanted = "text in UTF-8" if any(ending in one.endings for one in _TEXTS) else f".{ending} by its content"
            raise KindError(f"{name!r} is not what it is called: it is no {wanted}, nor anything else that is taken")
        raise KindError(f"{name!r} is none of the files that are taken: {', '.join(TAKEN)}")
    if ending not in found.endings:
        raise KindError(f"{name!r} is {found.media_type} by its content; its name must end with .{found.endings[0]}")
    return found


def _by_content(ending: str, head: bytes, *, is_text: bool) -> Type | None:
    for begins, one in _BINARY:
        if begins(head):
            return one
    if not is_text:
        return None
    if _begins_a_drawing(head.removeprefix(b"\xef\xbb\xbf")):
        return _SVG
    return next((one for one in _TEXTS if ending in one.endings), None)


_BEFORE = ((b"<?", b"?>"), (b"<!--", b"-->"))
"""What may stand before the first element, and what ends it."""


def _begins_a_drawing(head: bytes) -> bool:
    """Whether the first element is ``svg``. What stands before it is stepped over, without going back."""
    while True:
        head = head.lstrip()
        if head.startswith(b"<svg"):
            return head[4:5] in {b" ", b"\t", b"\r", b"\n", b">", b"/", b":", b""}
        if head[:9].lower() == b"<!doctype":
            end, subset = head.find(b">"), head.find(b"[")
            close = head.find(b"]", subset) if 0 <= subset < end else -1
            end = head.find(b">", close) if close >= 0 else end
            if end < 0 or not head[9:].lstrip().startswith(b"svg"):
                return False
            head = head[end + 1 :]
            continue
        mark = next((mark for mark, _ in _BEFORE if head.startswith(mark)), None)
        if mark is None:
            return False
        last = dict(_BEFORE)[mark]
        end = head.find(last, len(mark))
        if end < 0:
            return False
        head = head[end + len(last) :]
