"""The folder that a child works in where it has no file system of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from manimcast.sandbox.host.zygote import Zygote


@asynccontextmanager
async def scratch(zygote: Zygote, name: str, beside: Path) -> AsyncIterator[Path | None]:
    """Make a folder in ``beside`` for a child of ``zygote``, and remove it afterwards; None when it needs none.

    Collecting from it stays on the file system of ``beside``. Raises :class:`OSError`.
    """
    if zygote.own_files:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=beside))
    try:
        if zygote.ground.owner is not None:
            os.chown(folder, *zygote.ground.owner)
        yield folder
    finally:
        await asyncio.to_thread(_remove, folder)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # folders nested deeper than Python follows; rm does
        subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL, check=False)
