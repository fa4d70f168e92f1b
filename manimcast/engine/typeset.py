"""TeX in, SVG out: what Manim 0.22 would do with one document, in a process that does nothing else.

The commands are those of ``manim.utils.tex_file_writing`` (``make_tex_compilation_command``, ``convert_to_svg``), and
the document has the name and the place that Manim gives it, so that the SVG is the same byte for byte. It comes from a
stranger: what TeX may read, write and run is closed off here a second time, although the process is confined.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

from pydantic import ValidationError

from manimcast.engine.command import run
from manimcast.engine.format import without_preamble
from manimcast.tex import MAX_SVG, MAX_TEX_LOG, TexPreamble
from manimcast.wire import TexDone, TexJob

MAX_LOG_READ = 8 * 1024 * 1024
"""Bytes of a log that are searched for an error."""


def typeset(job: TexJob, directory: Path, dumped: Path | None = None) -> TexDone:
    """Typeset the document of ``job`` in ``directory``, which is absolute, and return what came out.

    ``dumped`` is the format of its preamble, if there is one (:mod:`manimcast.engine.format`). Only a success is taken
    from that: whatever else comes of it, the document is typeset once more from its beginning, so that errors are what
    they always were. The limit on the size of files is the process's own; whoever calls has set it.
    """
    deadline = time.monotonic() + job.limits.seconds
    preamble = TexPreamble.of(job)
    if dumped is not None and preamble is not None:
        there = set(directory.iterdir())
        done = _typeset(job, directory, deadline, dumped, preamble)
        if done.svg is not None or done.reason == "timeout":
            return done.model_copy(update={"resumed": True})
        for path in set(directory.iterdir()) - there:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return _typeset(job, directory, deadline, None, None)


def _typeset(
    job: TexJob, directory: Path, deadline: float, dumped: Path | None, preamble: TexPreamble | None
) -> TexDone:
    unavailable = TexDone(reason="unavailable")
    # Manim puts it there, under that name; a document may print either.
    tex_directory = directory / "media" / "Tex"
    source = job.source.encode()
    tex_file = tex_directory / f"{hashlib.sha256(source).hexdigest()[:16]}.tex"
    result, svg_file = tex_file.with_suffix(job.output_format), tex_file.with_suffix(".svg")
    try:
        tex_directory.mkdir(parents=True)
        command = tex_command(job.compiler, job.output_format, tex_file)
        if dumped is not None and preamble is not None:
            source = without_preamble(job.source, preamble).encode()
            command.insert(1, f"-fmt={dumped.as_posix()}")
        tex_file.write_bytes(source)
        status = run(command, directory, deadline)
        if status != 0:
            return TexDone(reason="failed", log=_log(tex_file.with_suffix(".log"))) if status > 0 else unavailable
        # TeX itself may have written an SVG; Manim takes it, too. What a dvisvgm that fails wrote may not be all.
        if not svg_file.exists() and run(svg_command(result, job.output_format), directory, deadline) != 0:
            return unavailable
        return TexDone(svg=_read(svg_file).decode())
    except subprocess.TimeoutExpired:
        return TexDone(reason="timeout", log=f"! {job.compiler} did not end within {job.limits.seconds:g} seconds.")
    except (OSError, ValueError, ValidationError):  # not installed, no such format, no SVG, or none to pass on
        return unavailable


def tex_command(compiler: str, output_format: str, tex_file: Path) -> list[str]:
    """Return how Manim calls ``compiler``, but without the commands that TeX may run where it is installed so.

    Raises :class:`ValueError` for an output format that the compiler does not write.
    """
    where = [f"-output-directory={tex_file.parent.as_posix()}", tex_file.as_posix()]
    quiet = ["-no-shell-escape", "-interaction=batchmode"]
    if compiler != "xelatex":
        return [compiler, *quiet, f"-output-format={output_format[1:]}", "-halt-on-error", *where]
    if output_format == ".dvi":
        raise ValueError("xelatex writes xdv or pdf")
    return [compiler, *(["-no-pdf"] if output_format == ".xdv" else []), *quiet, "-halt-on-error", *where]


def svg_command(result: Path, output_format: str) -> list[str]:
    """Return how Manim calls dvisvgm for the first page of ``result``."""
    return [
        "dvisvgm",
        *(["--pdf"] if output_format == ".pdf" else []),
        "--page=1",
        "--no-fonts",
        "--verbosity=0",
        f"--output={result.with_suffix('.svg').as_posix()}",
        result.as_posix(),
    ]


def _read(path: Path) -> bytes:
    """Return a file that is nothing else than one; raise :class:`OSError` or :class:`ValueError` otherwise."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ValueError("not a plain file")
        content = file.read(4 * MAX_SVG + 1)
    if len(content) > 4 * MAX_SVG:
        raise ValueError("too large")
    return content


def _log(path: Path) -> str | None:
    """Return TeX's log from its first error on, or its end."""
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_LOG_READ).decode(errors="replace").splitlines()
    except OSError:
        return None
    start = next((index for index, line in enumerate(lines) if line.startswith("!")), None)
    if start is None:
        return "\n".join(lines)[-MAX_TEX_LOG:]
    return "\n".join(lines[start:])[:MAX_TEX_LOG]
