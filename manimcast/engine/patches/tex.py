"""LaTeX: who typesets a document, and what a client hears when it cannot be done."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from manim import config
from manim.utils import tex_file_writing
from manim.utils.tex import TexTemplate

from manimcast.engine.errors import GoesAhead, LatexError
from manimcast.engine.patches.patch import Patch
from manimcast.engine.prepared import Prepared
from manimcast.tex import TexResult

PATCHES = (
    Patch(
        "manim.utils.tex_file_writing.print_all_tex_errors",
        tex_file_writing.print_all_tex_errors,
        "fd7963e27c7e199eaf05affd2c8e8d9d2823fa1527560a8faf2c9be940c37b63",
        "Upstream logs TeX's errors and raises one that names a log file; clients need the cause itself.",
    ),
    Patch(
        "manim.utils.tex_file_writing.generate_tex_file",
        tex_file_writing.generate_tex_file,
        "1997843c0b9b34d5e2433a2fdf69d5946a200c8560a4b276e609179b4736f0d8",
        "It writes the document; afterwards what was prepared of it, or made of it elsewhere, is put beside it.",
    ),
    Patch(
        "manim.utils.tex_file_writing.tex_to_svg_file",
        tex_file_writing.tex_to_svg_file,
        "b9bf5e69f268457b79c54d5d85556a11b3926844f2ac150ce2baa8162184190d",
        "Not replaced: the patch of generate_tex_file relies on its looking for an SVG before it runs LaTeX.",
    ),
)

_original_generate_tex_file = tex_file_writing.generate_tex_file
_prepared = Prepared({})

Typesetter = Callable[[str, str | Sequence[str], str], TexResult | None]
"""Takes a document, its compiler and output format; returns what became of it, or None when LaTeX must run here."""

_typesetter: Typesetter | None = None
_before: dict[str, Path] = {}


def install() -> None:
    """Put in place what is the same for every render."""
    tex_file_writing.print_all_tex_errors = raise_tex_error
    tex_file_writing.generate_tex_file = _generate_tex_file


def use_prepared(prepared: Prepared) -> None:
    """Look in ``prepared`` before LaTeX is run, in this process and those that are forked from it."""
    global _prepared  # noqa: PLW0603  the warm process reads it, its children use it
    _prepared = prepared


def use_typesetter(typesetter: Typesetter) -> None:
    """Have ``typesetter`` asked before LaTeX is run in this process."""
    global _typesetter  # noqa: PLW0603  set once in the child that renders
    _typesetter = typesetter


def look_in(folder: Path) -> None:
    """Take what lies typeset in ``folder`` now, in this process, which writes elsewhere."""
    global _before  # noqa: PLW0603  set once in a process that draws
    _before = {path.name: path for path in folder.glob("*.svg")} if folder.is_dir() else {}


def begin_render() -> None:
    """Note how things stand before a scene's own code runs."""
    _prepared.surroundings.begin()


@functools.wraps(_original_generate_tex_file)
def _generate_tex_file(
    expression: str, environment: str | None = None, tex_template: TexTemplate | None = None
) -> Path:
    tex_file = _original_generate_tex_file(expression, environment, tex_template)
    template = config["tex_template"] if tex_template is None else tex_template
    if not config["no_latex_cleanup"]:  # else the scene wants to see what LaTeX leaves behind
        svg_file = tex_file.with_suffix(".svg")
        if svg_file.name in _before and not svg_file.exists():
            shutil.copyfile(_before[svg_file.name], svg_file)
        _prepared.provide(tex_file, template.tex_compiler, template.output_format)
        if not tex_file.with_suffix(".svg").exists():
            try:
                _ask(tex_file, template.tex_compiler, template.output_format)
            except GoesAhead:
                return _generate_tex_file(expression, environment, tex_template)
    return tex_file


def _ask(tex_file: Path, compiler: str | Sequence[str], output_format: str) -> None:
    """Have ``tex_file`` typeset elsewhere, where that comes to the same; else LaTeX will run here as ever.

    Raises :class:`LatexError` when TeX cannot typeset it, as running it here would.
    """
    surroundings = _prepared.surroundings
    try:
        source = tex_file.read_bytes().decode()
        if _typesetter is None or surroundings.concern(source, tex_file.parent):
            return
        has_own_files = bool(surroundings.own_files())
    except (OSError, UnicodeDecodeError):
        return
    result = _typesetter(source, compiler, output_format)
    if result is None or result.reason == "unavailable":
        return
    if result.svg is not None:
        tex_file.with_suffix(".svg").write_bytes(result.svg.encode())
    elif not has_own_files:  # else the document may have wanted one of them, in a way that nobody can see
        log_file = tex_file.with_suffix(".log")
        log_file.write_text(result.log or "", encoding="utf-8")
        raise_tex_error(log_file, str(compiler), tex_file)


def raise_tex_error(log_file: Path, tex_compiler: str, tex_file: Path) -> NoReturn:
    """Raise :class:`LatexError` with the expression and TeX's first error, read from ``log_file``."""
    log = log_file.read_text(encoding="utf-8", errors="replace").splitlines() if log_file.exists() else []
    start = next((index for index, line in enumerate(log) if line.startswith("!")), None)
    expression = expression_in(tex_file.read_text(encoding="utf-8", errors="replace"))
    if start is None:
        raise LatexError(expression, f"{tex_compiler} failed without saying why")
    cause = _unwrap(log, start).removeprefix("!").strip().removesuffix(".")
    near = _near(log[start + 1 : start + 40])
    raise LatexError(expression, f"{cause}, near '{near}'" if near else cause, _tex_hint(cause, near))


def _near(context: list[str]) -> str:
    """Return the last words that TeX had read: the first line of its context, which breaks off at the error."""
    line = next((line for line in context if re.match(r"l\.\d+ |<\w+>|<\w+ \w+>|\\", line)), "")
    text = re.sub(r"^(l\.\d+|<[\w ]+>)\s*", "", line)
    text = re.sub(r"^\.\.\.\s*|\\special\s*\{dvisvgm:raw [^}]*\}", "", text)
    return text.strip()[-60:]


def _unwrap(log: list[str], start: int) -> str:
    """Join a message that TeX broke at column 79."""
    text = log[start]
    for line, following in zip(log[start:], log[start + 1 : start + 4], strict=False):
        if len(line) < 79:
            break
        text += following
    return text


def _tex_hint(cause: str, near: str) -> str | None:
    missing_file = re.search(r"File `(.+?)' not found", cause)
    if missing_file:
        return f"The LaTeX package {missing_file[1]} is not installed here."
    if "Undefined control sequence" in cause:
        commands = re.findall(r"\\[A-Za-z]+", near)
        name = commands[-1] if commands else "A command"
        return f"{name} is not defined: check its spelling, or add the package that defines it to the TexTemplate."
    if "Unicode character" in cause:
        return "LaTeX does not know this character: write it as a command, use Text, or another TexTemplate."
    if "did not end" in cause:
        return "Look for a macro that calls itself, or a loop without an end."
    if "Missing $" in cause:
        return "Mathematics in Tex needs $...$ around it; MathTex is in mathematics already."
    if "Extra }" in cause or "Missing }" in cause or "File ended while scanning" in cause:
        return "The braces do not match. When an expression is split into parts, each part must be balanced."
    return None


def expression_in(document: str) -> str:
    """Return the body of a TeX document that Manim wrote, without what Manim put around it."""
    match = re.search(r"\\begin\{document\}(.*?)\\end\{document\}", document, re.DOTALL)
    body = match[1] if match else document
    body = re.sub(r"\\special\{dvisvgm:raw [^}]*\}", "", body).strip()
    wrapped = re.fullmatch(r"\\begin\{([a-z*]+)\}(.*)\\end\{\1\}", body, re.DOTALL)
    return re.sub(r"\s+", " ", wrapped[2] if wrapped else body).strip()[:2000]
