"""A service small enough to be killed: it keeps a warm process, starts one render that never ends, and waits.

Run as ``python -m tests.sandbox.service FOLDER CODE [keeper]``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from manimcast.executors.local import LocalExecutor
from manimcast.settings import Settings
from manimcast.spec import RenderSpec


async def main(folder: Path, code: str) -> None:
    """Render ``code`` and print each message's type."""
    executor = LocalExecutor(Settings(data_dir=folder))
    await executor.start()
    into = folder / "out"
    into.mkdir(parents=True)
    async for message in executor.render(RenderSpec(code=code), render_id="it", into=into, timeout=3600):
        print(message.type, flush=True)
    await executor.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
