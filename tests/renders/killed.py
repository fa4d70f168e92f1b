"""A service that a test kills: it accepts two renders, begins the first, says so, and never ends.

Run as ``python -m tests.renders.killed DATA_DIR [DATABASE_URL]``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from manimcast.renders import RenderService, RenderStore
from manimcast.settings import Settings
from manimcast.storage import LocalStorage

from .scripted import GREETING, ScriptedExecutor, a_spec


async def main(data: Path, url: str | None) -> None:
    settings = Settings(_env_file=None, data_dir=data, database_url=url, shared_data_dir=True, render_slots=1)
    executor = ScriptedExecutor()
    service = RenderService(settings, RenderStore(settings), [executor], LocalStorage(settings))
    await service.start()
    for _ in range(2):
        render = await service.submit(a_spec(), tenant="t")
        print(render.id, flush=True)
    performance = await executor.begun.get()
    performance.say(*GREETING)
    (performance.into / "half.mp4").write_bytes(b"half a video")
    print("running", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
