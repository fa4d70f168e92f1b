"""`python -m tests.modal_plane`: a control plane on free ports of 127.0.0.1, until a signal or the end of its input.

Prints one line of JSON (``report.Address``) once it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import sys

from aiohttp import web
from modal._utils.grpc_utils import custom_detail_codec

from tests.modal_plane import control
from tests.modal_plane.front import Front
from tests.modal_plane.plane import Plane
from tests.modal_plane.report import Address
from tests.modal_plane.serving import CONFIGURATION, Port
from tests.modal_plane.worker import Worker


async def serve(*, with_input: bool) -> None:
    """Run until told to stop; ``with_input``: also until standard input ends, as it does when the parent dies."""
    plane = Plane((f"ak-{secrets.token_hex(8)}", f"as-{secrets.token_hex(8)}"), Worker)
    runner = web.AppRunner(control.application(plane))
    plane.port = Port([Front(plane)], config=CONFIGURATION, status_details_codec=custom_detail_codec)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_input:
        loop.add_reader(sys.stdin, stop.set)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        plane.address = f"http://{host}:{port}"
        await plane.port.open()
        address = Address(
            server_url=f"http://127.0.0.1:{plane.port.number}",
            token_id=plane.token[0],
            token_secret=plane.token[1],
            control=plane.address,
            pid=os.getpid(),
            directory=str(plane.directory),
        )
        print(address.model_dump_json(), flush=True)
        await stop.wait()
    finally:
        await plane.port.shut()
        await plane.close()
        await runner.cleanup()
        shutil.rmtree(plane.directory, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.modal_plane", description=__doc__)
    parser.add_argument("--with-input", action="store_true", help="end when standard input does")
    asyncio.run(serve(with_input=parser.parse_args().with_input))
