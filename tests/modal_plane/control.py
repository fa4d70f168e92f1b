"""The HTTP side: the blob store that clients and containers use, and the interface that tests steer by."""

from __future__ import annotations

import hashlib

from aiohttp import web

from tests.modal_plane import faults, reporting
from tests.modal_plane.plane import Plane

MAX_BLOB = 1 << 32


def application(plane: Plane) -> web.Application:
    """Return the web application of a control plane."""

    async def put_blob(request: web.Request) -> web.Response:
        data = await request.read()
        plane.blobs[request.match_info["id"]] = data
        return web.Response(headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})

    async def get_blob(request: web.Request) -> web.Response:
        if (data := plane.blobs.get(request.match_info["id"])) is None:
            raise web.HTTPNotFound
        return web.Response(body=data)

    async def get_report(request: web.Request) -> web.Response:
        return web.json_response(text=reporting.write(plane).model_dump_json())

    async def post_fault(request: web.Request) -> web.Response:
        fault = faults.reader.validate_json(await request.read())
        armed = plane.faults.arm(fault)
        assert plane.port is not None
        if isinstance(fault, faults.Drop | faults.Refuse) and fault.after is None:
            armed.struck += 1
            plane.port.cut()
            if isinstance(fault, faults.Refuse):
                await plane.port.shut()
        return web.json_response({"id": armed.id})

    async def delete_faults(request: web.Request) -> web.Response:
        number = request.match_info.get("id")
        plane.faults.clear(int(number) if number else None)
        assert plane.port is not None
        if not any(
            armed.struck and isinstance(armed.fault, faults.Refuse) for armed in plane.faults.armed if armed.left
        ):
            await plane.port.open()
        return web.Response()

    async def cancel_calls(request: web.Request) -> web.Response:
        for call in plane.calls.values():
            if any(given.state != "done" for given in call.inputs.values()):
                await call.function.cancel(call, terminate=True)
        return web.Response()

    async def kill_container(request: web.Request) -> web.Response:
        then = faults.Kill.model_validate_json(await request.read()).then
        for container in plane.running():
            if container.id == request.match_info["id"]:
                container.kill(then)
                return web.Response()
        raise web.HTTPNotFound

    made = web.Application(client_max_size=MAX_BLOB)
    made.add_routes([
        web.put("/blobs/{id}", put_blob),
        web.get("/blobs/{id}", get_blob),
        web.get("/report", get_report),
        web.post("/faults", post_fault),
        web.delete("/faults", delete_faults),
        web.delete("/faults/{id}", delete_faults),
        web.post("/calls/cancel", cancel_calls),
        web.post("/containers/{id}/kill", kill_container),
    ])  # fmt: skip
    return made
