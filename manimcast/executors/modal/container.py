"""What runs in a container on Modal: the same warm process and the same children as on any host, one call at a time.

Modal imports the app's module before it takes a snapshot of the container's memory, so the warm process, which has
imported Manim, is started then, and a container that starts from the snapshot is warm at once. It lives in a thread
with an event loop of its own, because Modal calls functions long after the module was imported.

The scene runs as another user, without Modal's environment, its socket, or a descriptor of it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import pwd
import queue
import shutil
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Generator, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from manimcast import __version__, wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.confined import bounds_of
from manimcast.executors.modal.protocol import ALIVE_SECONDS, CHUNK, INSPECTION, PROTOCOL, Call, versions_in
from manimcast.executors.modal.sent import SentSegments
from manimcast.executors.modal.work import Heard, Work
from manimcast.executors.segments import Shelf
from manimcast.executors.typeset import Typesetter
from manimcast.inspection import Inspection
from manimcast.sandbox.host.probe import examine
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.settings import Settings

USER_VARIABLE = "MANIMCAST_SCENE_USER"
"""Set in the image: the user that scenes run as. Empty: the container's own, for tests of this code elsewhere."""

Item = dict[str, Any]


class Container:
    """The warm process of this container, and the calls that it serves.

    Parameters
    ----------
    settings
        Bounds of a render, from the image's environment.
    user
        Name of the user that scenes run as.
    """

    def __init__(self, settings: Settings, *, user: str | None) -> None:
        self._settings = settings
        self._user = user or None
        self._typesetter = Typesetter.from_settings(settings, cached=False)
        self._loop = asyncio.new_event_loop()
        self._zygote: Zygote | None = None
        self._fault: str | None = None
        threading.Thread(target=self._loop.run_forever, name="renders", daemon=True).start()

    @classmethod
    def warm(cls) -> Container:
        """Return this container, with its warm process started. Never raises: calls tell what went wrong."""
        container = cls(Settings(), user=os.environ.get(USER_VARIABLE))
        try:
            container._zygote = container._do(container._start()).result()
        except (ZygoteError, OSError) as error:
            container._fault = f"the warm process does not start: {error}"[:2000]
        return container

    async def _start(self) -> Zygote:
        """Start the warm process. The container is the sandbox; whatever else it offers is put around the scene too."""
        prepared = self._settings.prepared_tex
        ground = await examine(owner=self._owner(), readable=[prepared] if prepared else [])
        return await Zygote.start(ground, bounds_of(self._settings), prepared_tex=prepared)

    def _owner(self) -> tuple[int, int]:
        if self._user is None:
            return self._settings.sandbox_user, self._settings.sandbox_user
        try:
            entry = pwd.getpwnam(self._user)
        except KeyError:
            raise ZygoteError(f"there is no user {self._user} on this host") from None
        return entry.pw_uid, entry.pw_gid

    def _do(self, coroutine: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    @property
    def facts(self) -> dict[str, str]:
        """Versions, and what keeps a scene in, as text."""
        found = {"manimcast": __version__, "user": self._user or "", "layers": ""}
        if self._zygote:
            found |= self._zygote.fingerprint | {"layers": ",".join(sorted(self._zygote.layers))}
        return found

    def health(self) -> dict[str, Any]:
        """Return what this container can do, as ``health_check`` answers it."""
        codec = self.facts.get("libavcodec")
        return {
            "status": "healthy" if self._zygote else "unhealthy",
            "error": self._fault,
            "manim_version": self.facts.get("manim"),
            "numpy_version": self.facts.get("numpy"),
            "ffmpeg_available": codec is not None,
            "ffmpeg_version": codec and f"libavcodec {codec}",
            "latex_version": self.facts.get("latex"),
            "timestamp": datetime.now(UTC).isoformat(),
            "protocol": PROTOCOL,
            "facts": self.facts,
        }

    def stream(self, raw: object, *, call_id: str, container: str) -> Generator[Item, None, None]:
        """Serve one call; see :mod:`manimcast.executors.modal.protocol` for what is yielded."""
        run, sequence, began = uuid.uuid4().hex, itertools.count(), time.monotonic()

        def item(kind: str, **fields: object) -> Item:
            return {"type": kind, "run": run, "seq": next(sequence), **fields}

        yield item("opened", protocol=PROTOCOL, call_id=call_id, container=container, facts=self.facts)
        try:
            call = Call.model_validate(raw)
        except ValidationError as error:
            # The only caller is the service, so this is another version of it.
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"]))
            yield item("fault", reason=f"the deployed app does not understand the call: {where}: {first['msg']}"[:2000])
            return
        with folder() as into:
            names: list[str] = []
            try:
                shelf = SentSegments(call, versions_in(self.facts)) if call.kept is not None else None
                for message in self.messages(call, into, shelf):
                    if message is None:
                        yield item("alive")
                        continue
                    if isinstance(message, Inspection):
                        (into / INSPECTION).write_bytes(_as_json(message))
                        names = [INSPECTION]
                        continue
                    if isinstance(message, wire.Finished):
                        message = _in_a_container(message)  # noqa: PLW2901
                        names = [file.name for file in message.report.files]
                    yield item("message", body=_as_json(message))
            except ExecutorError as error:
                yield item("fault", reason=str(error)[:2000])
                return
            for name in names:
                for data in _chunks(into / name):
                    yield item("chunk", name=name, data=data)
            if shelf is not None:
                yield item("used", keys=shelf.used)
                for key, size, data in shelf.pieces():
                    yield item("segment", key=key, size=size, data=data)
        yield item("closed", seconds=round(time.monotonic() - began, 3))

    def messages(
        self, call: Call, into: Path, shelf: Shelf | None = None
    ) -> Iterator[wire.Message | Inspection | None]:
        """Yield what the render says, or what the dry run came to, and None whenever nothing was said for a while.

        Raises :class:`ExecutorError` when the container is at fault.
        """
        if self._zygote is None:
            raise ExecutorError(self._fault or "the warm process is not there")
        heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        over = self._do(Work(self._zygote, call, into, self._typesetter, shelf).listen(heard.put))
        try:
            while True:
                try:
                    message = heard.get(timeout=ALIVE_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                if isinstance(message, ExecutorError):
                    raise message
                if message is None:
                    raise ExecutorError("the render ended without a word")
                yield message
                if isinstance(message, wire.Terminal | Inspection):
                    wait({over}, timeout=ALIVE_SECONDS)  # canceled while it ends, it would leave something open
                    return
        finally:
            over.cancel()


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder for one render's files, in one that the scene's user may read: finding out its path takes that."""
    path = Path(tempfile.mkdtemp(prefix="render-"))
    try:
        path.chmod(0o755)
        into = path / "out"
        into.mkdir(mode=0o700)
        yield into
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _in_a_container(finished: wire.Finished) -> wire.Finished:
    """Name the tier: what counts is the container, not what else it has room for."""
    sandbox = finished.report.sandbox
    told = sandbox and sandbox.model_copy(update={"tier": "container"})
    return finished.model_copy(update={"report": finished.report.model_copy(update={"sandbox": told})})


def _as_json(said: wire.Message | Inspection) -> bytes:
    return said.model_dump_json().encode("utf-8", "backslashreplace")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            yield data


def reaches(address: str) -> bool:
    """Return whether a connection to ``address`` (``host:port``) can be opened from here."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError):
        return False
    return True
