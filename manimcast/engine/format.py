r"""Preambles that are read once: TeX reads one, dumps its memory as a format, and later documents start from that.

A document that starts from a format has its preamble replaced by as many lines that do nothing, so that TeX counts its
lines as ever, and goes on where reading the preamble would have ended. That is the same only if nothing of TeX's state
is lost between the two. A format holds macros, registers, fonts and hyphenation, but not what is unfinished: groups,
conditionals, material of a page, pages that went out, open files. A preamble that leaves anything of that behind is
not dumped, nor is one that writes files.

Formats are written compressed, and decompressing one takes longer than all the rest; so they are kept as they are in
memory. pdfTeX reads both.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from manimcast.engine.command import run
from manimcast.tex import BODY, FORMAT, MAX_FORMAT, TexPreamble
from manimcast.wire import FormatJob

NAME = "preamble"

# Their letters are those of \begin{document}: where they mean something else, that does not work either.
_LINE, _LAST_LINE = r"\begincounted", r"\begincontinued"

# What TeX would forget is to be as it is at the beginning: no conditional and no group is open, the page is empty, and
# what ends a line and makes up a command is the usual.
_STATE = (
    r"\number\currentiflevel.\number\currentgrouplevel.\ifvmode v\fi.\number\pagegoal.\number\insertpenalties."
    r"\number\endlinechar.\number\catcode13.\number\catcode92.\number\catcode123.\number\catcode125."
)
_FRESH = "0.0.v.1073741823.0.13.5.0.1.2."
# It would forget these, too, but can be told: a class that has tried to put out a page leaves them behind. The last
# penalty is remembered although nothing comes of one on an empty page.
_RESTORE = (
    r"\ifnum\lastnodetype=13 \penalty\number\lastpenalty\fi"
    r"\prevdepth=\number\prevdepth sp\prevgraf=\number\prevgraf\deadcycles=\number\deadcycles\relax"
)
_BEGIN = (
    rf"\def{_LINE}{{}}\let\manimcastdump\dump\let\manimcasteveryjob\everyjob\def\manimcastfresh{{{_FRESH}}}"
    rf"\def\manimcastend{{\edef\manimcaststate{{{_STATE}}}\edef{_LAST_LINE}{{{_RESTORE}}}\manimcasteveryjob{{}}"
    r"\ifx\manimcaststate\manimcastfresh\expandafter\manimcastdump\else\errmessage{\manimcaststate}\fi}"
)
_END = r"\manimcastend"


def dump(job: FormatJob, directory: Path) -> bool:
    """Make :data:`FORMAT` in ``directory`` of the preamble of ``job``; return whether that went well.

    The limit on the size of files is the process's own; whoever calls has set it.
    """
    deadline = time.monotonic() + job.limits.seconds
    tex_directory = directory / "media" / "Tex"
    tex_file = tex_directory / f"{NAME}.tex"
    try:
        tex_directory.mkdir(parents=True)
        before = _files(directory)
        tex_file.write_text(f"{_BEGIN}{job.preamble}{_END}\n", encoding="utf-8", newline="")
        if run(dump_command(job.compiler, job.output_format, tex_file), directory, deadline) != 0:
            return False
        made = tex_file.with_suffix(".fmt")
        if _files(directory) - before != {tex_file, tex_file.with_suffix(".log"), made}:
            return False  # it has written a page, or files that documents might look for
        return _decompress(made, directory / FORMAT)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False


def dump_command(compiler: str, output_format: str, tex_file: Path) -> list[str]:
    """Return how ``compiler`` is called to dump what it knows after reading ``tex_file``."""
    return [
        compiler,
        "-ini",
        "-no-shell-escape",
        "-interaction=batchmode",
        f"-output-format={output_format[1:]}",
        "-halt-on-error",
        f"-output-directory={tex_file.parent.as_posix()}",
        f"&{compiler}",
        tex_file.as_posix(),
    ]


def without_preamble(source: str, preamble: TexPreamble) -> str:
    """Return the document ``source`` as one that starts from the format of its ``preamble``, with the same lines."""
    end = source.index(BODY)
    return f"{_LINE}\n" * (preamble.lines - 1) + f"{_LAST_LINE}\n" + source[end:]


def _files(directory: Path) -> set[Path]:
    return {Path(folder, name) for folder, _, names in os.walk(directory) for name in names}


def _decompress(source: Path, target: Path) -> bool:
    left = MAX_FORMAT
    with source.open("rb") as made:
        is_compressed = made.read(2) == b"\x1f\x8b"
    with gzip.open(source) if is_compressed else source.open("rb") as made, target.open("xb") as file:
        while left >= 0 and (data := made.read(1 << 20)):
            left -= len(data)
            file.write(data)
    if left < 0:
        with suppress(OSError):
            target.unlink()
    return left >= 0
