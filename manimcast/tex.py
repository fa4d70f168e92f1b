"""What a render asks of TeX, and what it may get: one document in, one page of SVG out, both bounded."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from manimcast.spec import Strict

MAX_TEX = 256 * 1024
"""Bytes of a document."""
MAX_SVG = 4 * 1024 * 1024
"""Characters of what TeX made of it. A page of dense text has a few hundred thousand."""
MAX_TEX_LOG = 64_000
"""Characters of TeX's log."""
FORMAT = "preamble.fmt"
"""What the file with a dumped preamble is called, where it is made and where it is read."""
MAX_FORMAT = 64 * 1024 * 1024
"""Bytes of a dumped preamble. LaTeX itself takes 17 million, and packages add to that."""

PASSING = re.compile(
    r"\\(?:today|year|month|day|time|DTM\w*)(?![A-Za-z])|\\c_sys_|datetime|random|\brand\b|\brnd\b"
    r"|uniformdeviate|normaldeviate|elapsedtime|directlua|luacode"
)
"""What makes a document another one tomorrow, or each time: the date, the clock, chance."""

UNDUMPABLE = re.compile(
    r"begincounted|begincontinued|manimcast|jobname|currfile|everyjob|\\dump|afterassignment|\\read|openin|openout|newwrite|filecontents|pdfmap|\\input\s*\|"
    r"|(?:batch|nonstop|scroll|errorstop|interaction)mode"
)
"""What could tell a document whose preamble was read beforehand from one that is read in one go."""

BODY = r"\begin{document}"

Compiler = Literal["latex", "pdflatex", "xelatex", "lualatex", "luatex"]
OutputFormat = Literal[".dvi", ".xdv", ".pdf"]


class TexDocument(Strict):
    """A document, the program that typesets it, and what that writes for dvisvgm to read."""

    source: str
    compiler: Compiler
    output_format: OutputFormat

    @field_validator("source")
    @classmethod
    def _is_bounded(cls, source: str) -> str:
        if len(source) > MAX_TEX or len(source.encode()) > MAX_TEX:
            raise ValueError(f"longer than {MAX_TEX} bytes")
        return source


class TexPreamble(Strict):
    """What stands before a document's body, and the program that reads it: what documents can have in common."""

    preamble: Annotated[str, StringConstraints(max_length=MAX_TEX)]
    compiler: Literal["latex", "pdflatex"]
    output_format: Literal[".dvi", ".pdf"]

    @property
    def lines(self) -> int:
        """How many lines it takes, the last one whole."""
        return self.preamble.count("\n")

    @classmethod
    def of(cls, document: TexDocument) -> Self | None:
        """Return the preamble of ``document`` if it can be read beforehand, and None otherwise.

        The other compilers cannot keep fonts in a format. Whatever depends on when the preamble is read, or under which
        name, has to be read each time. The body has to begin at the beginning of a line, so that it keeps its number.
        """
        source = document.source
        end = source.find(BODY)
        if (
            document.compiler not in {"latex", "pdflatex"}
            or document.output_format not in {".dvi", ".pdf"}
            or end < 1
            or source[end - 1] != "\n"
            or source.startswith("%&")
            or PASSING.search(source)
            or UNDUMPABLE.search(source)
        ):
            return None
        return cls.model_validate(
            {"preamble": source[:end], "compiler": document.compiler, "output_format": document.output_format}
        )


class TexLimits(Strict):
    """Bounds on making one SVG: seconds for TeX and dvisvgm together, bytes of any file that they write."""

    seconds: float = Field(gt=0, allow_inf_nan=False)
    file_bytes: int = Field(gt=0)


class TexResult(Strict):
    """What became of a document: its ``svg``, or the ``reason`` why there is none.

    ``failed`` is TeX's verdict and ``timeout`` the service's; then ``log`` is TeX's log from its first error on.
    ``unavailable`` is no verdict: there is no answer, and whoever asked may run TeX to hear from it what is wrong.
    """

    svg: Annotated[str, StringConstraints(max_length=MAX_SVG)] | None = None
    log: Annotated[str, StringConstraints(max_length=MAX_TEX_LOG)] | None = None
    reason: Literal["failed", "timeout", "unavailable"] | None = None

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if (self.svg is None) == (self.reason is None):
            raise ValueError("either svg or reason")
        return self
