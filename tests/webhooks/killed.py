"""A courier that a test kills, in a process of its own.

Run as ``python -m tests.webhooks.killed SETTINGS``, which are JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

from manimcast.settings import Settings

from .conftest import Service


async def main() -> None:
    service = Service(Settings(_env_file=None, **json.loads(sys.argv[1])))
    await service.database.open()
    await service.courier.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
