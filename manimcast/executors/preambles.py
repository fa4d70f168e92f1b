"""Preambles that were read once and dumped: what documents that have one in common can start from.

A format is made by a confined process that has seen nothing but the preamble, and is read by confined processes that
typeset documents with exactly this preamble, which would have read it themselves. So whoever can have one made can only
have made what everybody who uses it asks for. It is opaque here: its bytes are kept, counted and passed on.

A preamble is dumped when a few documents had it, in the background, and its format is used only after a trial came out
of it byte for byte as without it. The trial is the service's own document, since a stranger's could be made to differ
and keep a common preamble from everybody. What cannot be dumped is remembered as an empty entry.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import tempfile
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from manimcast.cache import EntryStore
from manimcast.executors.versions import versions_of
from manimcast.tex import TexDocument, TexLimits, TexPreamble
from manimcast.wire import FormatJob, TexDone, TexJob

log = logging.getLogger(__name__)

LAYOUT = 1
AFTER = 3
"""Documents with the same preamble after which it is dumped. That takes as long as it saves on six."""
MOST_OPEN = 16
MOST_KNOWN = 1000
"""Preambles that are remembered as undumpable, or are counted."""


class Format:
    """A format on the disk, kept open: whoever removes its file does not disturb those that read it."""

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = os.dup(file.fileno())
        self.offset = file.tell()
        self.size = os.fstat(self._descriptor).st_size - self.offset
        weakref.finalize(self, os.close, self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor; the format begins at ``offset``, and has ``size`` bytes."""
        return self._descriptor


class Run(Protocol):
    """Typesets one document in a confined process of its own, from a format if it gets one.

    May raise any :class:`Exception`.
    """

    def __call__(self, job: TexJob, dumped: Format | None = None, /) -> Awaitable[TexDone]:
        """Return what became of the document of ``job``."""


Dump = Callable[[FormatJob, Path], Awaitable[bool]]
"""Dumps a preamble in a confined process, into a file. May raise any :class:`Exception`."""


_TRIAL = r"""\begin{document}
Trial \the\inputlineno\ fi --- \textbf{b}\textit{i}\texttt{t} $x^2+\frac{a}{b}=\int_0^1\sqrt{\alpha}$

\special{dvisvgm:raw <g id='trial'>}A\special{dvisvgm:raw </g>}\fbox{x}\rule{1cm}{2pt}
\[\sum_{n=1}^\infty n\]
\end{document}
"""


class Preambles:
    """Formats in ``store``, and those that are being made.

    Parameters
    ----------
    store
        Where they are kept.
    limits
        Bounds on making one.

    Attributes
    ----------
    dumps
        How often a preamble was dumped.
    """

    def __init__(self, store: EntryStore, limits: TexLimits) -> None:
        self._store = store
        self._limits = limits
        self._open: dict[str, Format] = {}
        self._without: set[str] = set()
        self._seen: Counter[str] = Counter()
        self._making: dict[str, asyncio.Task[None]] = {}
        self._one = asyncio.Semaphore(1)
        self.dumps = 0

    async def find(self, document: TexDocument, versions: Mapping[str, str]) -> Format | None:
        """Return the format that ``document`` can start from, if there is one by now."""
        preamble = TexPreamble.of(document)
        if preamble is None:
            return None
        name = key(preamble, versions)
        if name not in self._open and name not in self._without and name not in self._making:
            await asyncio.to_thread(self._look, name)
        found = self._open.pop(name, None)
        if found is not None:
            self._open[name] = found  # the last one used is the last to go
        return found

    def learn(self, document: TexDocument, versions: Mapping[str, str], run: Run, dump: Dump) -> None:
        """Take note that ``document`` was typeset without a format, and have one made when that is worth it."""
        preamble = TexPreamble.of(document)
        if preamble is None:
            return
        name = key(preamble, versions)
        if name in self._without or name in self._open or name in self._making:
            return
        self._seen[name] += 1
        if self._seen[name] < AFTER:
            if len(self._seen) > MOST_KNOWN:
                self._seen.clear()
            return
        task = asyncio.create_task(self._make(name, preamble, run, dump))
        self._making[name] = task
        task.add_done_callback(lambda _: self._making.pop(name, None))

    async def settle(self) -> None:
        """Wait until nothing is being made."""
        while self._making:
            await asyncio.wait(self._making.values())

    async def close(self) -> None:
        """End what is being made."""
        for task in self._making.values():
            task.cancel()
        await self.settle()

    async def _make(self, name: str, preamble: TexPreamble, run: Run, dump: Dump) -> None:
        job = FormatJob(**preamble.model_dump(), limits=self._limits)
        async with self._one:
            del self._seen[name]  # a failure of the machinery's is tried again, but not at once
            try:
                with tempfile.TemporaryDirectory(prefix="manimcast-format-") as folder:
                    path = Path(folder, "format")
                    self.dumps += 1
                    content = b""
                    if await dump(job, path) and await self._agrees(path, preamble, run):
                        content = await asyncio.to_thread(path.read_bytes)
                await asyncio.to_thread(self._store.put, name, content)
                await asyncio.to_thread(self._look, name)
            except Exception as error:  # noqa: BLE001  nobody waits for it, and documents do without
                log.warning("A preamble of TeX could not be dumped: %s", error)

    async def _agrees(self, path: Path, preamble: TexPreamble, run: Run) -> bool:
        with path.open("rb") as file:
            made = Format(file)
        job = TexJob(
            source=preamble.preamble + _TRIAL,
            compiler=preamble.compiler,
            output_format=preamble.output_format,
            limits=self._limits,
        )
        without, resumed = await run(job), await run(job, made)
        if "timeout" in {without.reason, resumed.reason}:
            raise RuntimeError("it took too long to try it")
        return resumed.resumed and resumed.svg is not None and resumed.svg == without.svg

    def _look(self, name: str) -> None:
        """Open the entry ``name`` if it is there and whole."""
        file = self._store.open(name)
        if file is None:
            return
        with file:
            found = Format(file)
        if found.size:
            self._open[name] = found
            while len(self._open) > MOST_OPEN:
                self._open.pop(next(iter(self._open)))
        else:
            if len(self._without) > MOST_KNOWN:
                self._without.clear()
            self._without.add(name)


def key(preamble: TexPreamble, versions: Mapping[str, str]) -> str:
    """Return the name of what ``preamble`` becomes with these versions of the tools."""
    parts = [LAYOUT, preamble.model_dump(), versions_of(versions)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
