"""The items of one call in their order, whatever it asked for. All of them are taken for hostile.

The container's own code is trusted to follow the protocol, so where it does not, the container is at fault and
:class:`~manimcast.executors.base.ExecutorError` is raised.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal import protocol
from manimcast.executors.verdict import untrustworthy
from manimcast.harmless import harmless
from manimcast.wire import Message

End = TypeVar("End")


def writes(raw: object) -> bool:
    """Return whether taking the item ``raw`` means writing to a file, or else takes its time."""
    return isinstance(raw, dict) and raw.get("type") in {"chunk", "segment", "closed"}


class Incoming(ABC, Generic[End]):
    """One call's items, checked in their order; what is in them is for those who derive from this.

    Attributes
    ----------
    opened
        What the container said of itself first.
    end
        What the call came to; for good once ``is_complete``.
    is_settled
        Set when the render has failed by what it said, so that nothing more needs to be heard.
    """

    def __init__(self) -> None:
        self._next = 0
        self._messages_left = wire.MAX_MESSAGES
        self._bytes_left = wire.MAX_STREAM
        self._busy = threading.Lock()
        self.opened: protocol.Opened | None = None
        self.end: End | wire.Failed | None = None
        self.is_complete = False
        self.is_settled = False

    def take(self, raw: object) -> list[Message]:
        """Take one item and return what the render says in it, its end excepted.

        Items that :func:`writes` may be taken in another thread, as long as one is taken after the other.
        """
        try:
            item = protocol.read(raw)
        except wire.WireError as error:
            raise ExecutorError(f"the container sent what is not understood: {error}") from error
        self._count(item)
        self._check_order(item)
        try:
            with self._busy:
                return list(self._taken(item))
        except OSError as error:
            raise ExecutorError(f"the files cannot be written here: {error.strerror or error}", again=False) from error

    def close(self) -> None:
        """Let go of what taking the items has opened."""

    def _open(self, item: protocol.Opened) -> None:
        """Take note of what the container says of itself."""
        self.opened = item

    @abstractmethod
    def _said(self, body: bytes) -> Iterator[Message]:
        """Take one of the wire's messages."""

    @abstractmethod
    def _chunk(self, name: str, data: bytes) -> None:
        """Take some bytes of a file."""

    def _segment(self, item: protocol.Used | protocol.Segment) -> None:  # noqa: ARG002  it is for renders
        """Take what is told of segments, or some bytes of one."""
        raise ExecutorError("the container sent segments that it was not asked for")

    @abstractmethod
    def _closed(self, seconds: float) -> None:
        """Take note that everything was sent."""

    def _settle(self, how: str) -> None:
        """Have the render fail: it said what the engine would not say."""
        self.end = untrustworthy(how)
        self.is_settled = True

    def _taken(self, item: protocol.Item) -> Iterator[Message]:
        match item:
            case protocol.Opened():
                self._open(item)
            case protocol.Said(body=body):
                yield from self._said(body)
            case protocol.Chunk(name=name, data=data):
                self._chunk(name, data)
            case protocol.Used() | protocol.Segment():
                self._segment(item)
            case protocol.Closed(seconds=seconds):
                self._closed(seconds)
                self.is_complete = True
            case protocol.Fault(reason=reason):
                raise ExecutorError(f"the container is at fault: {harmless(reason)}")
            case protocol.Alive():
                pass

    def _count(self, item: protocol.Item) -> None:
        """Bound what a container may say besides its files, as the wire does it for a render on this machine."""
        if not isinstance(item, protocol.Chunk):
            self._messages_left -= 1
            self._bytes_left -= len(item.body) if isinstance(item, protocol.Said) else 0
        if self._messages_left < 0 or self._bytes_left < 0:
            raise ExecutorError("the container says more than is listened to")

    def _check_order(self, item: protocol.Item) -> None:
        if self.opened is None:
            if not isinstance(item, protocol.Opened):
                raise ExecutorError("the container was lost before its first words arrived")
            if item.protocol != protocol.PROTOCOL:
                raise ExecutorError(
                    f"the deployed app speaks version {item.protocol} of the protocol, this service "
                    f"{protocol.PROTOCOL}: run manimcast deploy",
                    again=False,
                )
        elif item.run != self.opened.run:
            raise ExecutorError("the container was preempted, and the call began again in another one")
        elif isinstance(item, protocol.Opened):
            raise ExecutorError("the container began twice")
        if item.seq != self._next or self.is_complete:
            raise ExecutorError("something that the container sent was lost")
        self._next += 1
