"""A service that a test kills when it has stored a video, and no row tells of that yet.

Run as ``python -m tests.renders.killed_storing SETTINGS canceled|running``, settings being JSON. It prints the id of
its render, then ``stored``, and never ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from manimcast.renders import RenderService, RenderStore
from manimcast.settings import Settings
from manimcast.spec import RenderReport
from manimcast.storage import StoredResult, from_settings

from .scripted import ScriptedExecutor, a_spec


async def main(fields: dict[str, Any], status: str) -> None:
    settings = Settings(_env_file=None, **fields)
    executor, storage = ScriptedExecutor(), from_settings(settings)
    service = RenderService(settings, RenderStore(settings), [executor], storage)
    take = storage.put

    async def put(place: str, directory: Path, report: RenderReport) -> StoredResult:
        stored = await take(place, directory, report)
        await storage.settle(stored)
        if status == "canceled":
            await service.cancel(place, tenant="t", wait=False)
        print("stored", flush=True)
        await asyncio.Event().wait()
        return stored

    storage.put = put  # type: ignore[method-assign]
    await service.start()
    print((await service.submit(a_spec(), tenant="t")).id, flush=True)
    (await executor.begun.get()).succeed()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1]), sys.argv[2]))
