"""One child of the warm process, seen from the trusted side: fork it, talk with it, take its files, see it end.

What it says and what it leaves is hostile; this module only carries it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self, TypeVar

from manimcast import wire
from manimcast.sandbox.control import Exited
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.spec import Strict

_Answer = TypeVar("_Answer", bound=Strict)

_CHUNK = 1 << 20
PARTING_SECONDS = 5.0
"""How long a child may still live after its last word."""


class ChildGoneError(ConnectionError):
    """The child takes nothing more. How it ended, its end tells."""


class BinaryDescriptor(Protocol):
    """What has a descriptor that bytes can be read from."""

    def fileno(self) -> int:
        """Return it."""


class Child:
    """A running child.

    Attributes
    ----------
    reader
        What it says.
    """

    def __init__(
        self, zygote: Zygote, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: socket.socket | int
    ) -> None:
        self._zygote = zygote
        self.reader = reader
        self._writer = writer
        self._place = place
        self._number = 0
        self._exit: asyncio.Future[Exited] | None = None

    @classmethod
    async def start(cls, zygote: Zygote, *, scratch: Path | None, log: int | None = None) -> Self:
        """Fork a child that prints to the descriptor ``log``, or to nowhere.

        ``scratch`` is the folder that it works in; it has to be given where children have no file systems of their
        own (:attr:`Zygote.own_files`). Raises :class:`ZygoteError` or :class:`OSError`.
        """
        if log is None:
            with open(os.devnull, "wb") as nowhere:  # noqa: ASYNC230, PTH123  blocks no more than making a pipe
                return await cls.start(zygote, scratch=scratch, log=nowhere.fileno())
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                reader, writer = await asyncio.open_unix_connection(sock=ours)
            except BaseException:  # canceled, above all
                ours.close()
                raise
            try:
                if scratch is None:
                    place, their_place = socket.socketpair()
                    child = cls(zygote, reader, writer, place)
                    with their_place:
                        child._launch(theirs.fileno(), their_place.fileno(), log)
                else:
                    directory = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    child = cls(zygote, reader, writer, directory)
                    child._launch(theirs.fileno(), directory, log)
            except BaseException:
                writer.close()
                raise
        return child

    def _launch(self, wire_end: int, place: int, log: int) -> None:
        try:
            self._number, self._exit = self._zygote.launch(wire_end, place, log)
        except BaseException:
            self._close_place()
            raise

    def send(self, message: Strict) -> None:
        """Say ``message`` to it; when it no longer listens, its end tells."""
        self._writer.write(wire.encode(message))

    async def pass_on(self, file: BinaryDescriptor, offset: int, size: int) -> None:
        """Send ``size`` bytes of ``file`` from ``offset`` on, without looking at them.

        Raises :class:`ChildGoneError` when it is gone, and :class:`OSError` when the file has fewer.
        """
        # Not by ``loop.sendfile``, which uvloop does not have.
        end = offset + size
        while offset < end:
            data = await asyncio.to_thread(os.pread, file.fileno(), min(_CHUNK, end - offset), offset)
            if not data:
                raise OSError(errno.EIO, "the file is shorter than it was said to be")
            self._writer.write(data)
            await self.drain()
            offset += len(data)

    async def drain(self) -> None:
        """Wait until it has taken what was said, but for a little. Raises :class:`ChildGoneError` when it is gone."""
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise ChildGoneError(*error.args) from error

    async def only_answer(
        self,
        parse: Callable[[bytes], wire.Hello | _Answer],
        *,
        max_frame: int = wire.MAX_FRAME,
        greeted_with: Callable[[], Awaitable[None]] | None = None,
    ) -> _Answer | None:
        """Return the one thing that it says after its greeting, as ``parse`` reads it; None when it died without.

        ``greeted_with`` is called once it has said hello; it is no error when the child is gone before that has ended.

        Raises :class:`~manimcast.wire.WireError` when it says anything else, and what ``greeted_with`` raises.
        """
        decoder = wire.FrameDecoder(max_frame=max_frame, max_messages=2, max_stream=max_frame + wire.MAX_FRAME)
        greeted = False
        while data := await self._heard():
            for body in decoder.feed(data):
                message = parse(body)
                if isinstance(message, wire.Hello) == greeted:
                    raise wire.WireError("a message is out of place")
                if not isinstance(message, wire.Hello):
                    return message
                greeted = True
                if greeted_with is not None:
                    with suppress(ChildGoneError):  # what it said before that is still to be heard
                        await greeted_with()
        return None

    async def _heard(self) -> bytes:
        """Return what it has said since; nothing when it is gone."""
        try:
            return await self.reader.read(1 << 18)
        except ConnectionError:
            return b""

    def directory(self) -> int:
        """Return a descriptor of its folder; with :meth:`end` it is gone, and the files with it.

        Raises :class:`ZygoteError` when it never had one to give: it could not be set up.
        """
        if isinstance(self._place, int):
            return self._place
        with self._place as place:
            place.setblocking(False)
            try:
                # Sent before it read its job, and so before anything untrusted ran in it.
                _, descriptors, _, _ = socket.recv_fds(place, 1, 1)
            except OSError:
                descriptors = []
        self._place = descriptors[0] if descriptors else -1
        if self._place < 0:
            raise ZygoteError("the child did not hand out its folder")
        return self._place

    async def exited(self) -> Exited:
        """Wait for its end, and bring it about when it stays on after its last word."""
        if self._exit is None:
            raise ZygoteError("the child was never started")
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                return await asyncio.shield(self._exit)
        self._zygote.kill_child(self._number)
        return await self._exit

    async def stop(self) -> None:
        """End all its processes. Its folder is still there."""
        if self._exit is not None:
            if not self._exit.done():
                self._zygote.kill_child(self._number)
            with suppress(ZygoteError):  # gone, and its children with it
                await asyncio.shield(self._exit)

    async def end(self) -> None:
        """Leave nothing of it: no process, no descriptor."""
        try:
            await self.stop()
        finally:  # also when it is canceled meanwhile
            self._writer.close()
            self._close_place()

    def _close_place(self) -> None:
        if isinstance(self._place, socket.socket):
            self._place.close()
        elif self._place >= 0:
            os.close(self._place)
        self._place = -1
