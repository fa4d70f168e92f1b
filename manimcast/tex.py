"""What a render asks of TeX, and what it may get: one document in, one page of SVG out, both bounded."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from manimcast.spec import Strict

MAX_TEX = 256 * 1024
"""Bytes of a document."""
MAX_SVG = 4 * 1024 * 1024
"""Characters of what TeX made of it. A page of dense text has a few hundred thousand."""
MAX_TEX_LOG = 64_000
"""Characters of TeX's log."""

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
