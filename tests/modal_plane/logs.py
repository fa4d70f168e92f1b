"""What containers printed, kept and told as Modal's log calls want it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modal_proto import api_pb2 as pb

from tests.modal_plane.calls import Changes


@dataclass(frozen=True)
class Entry:
    """A piece of output: ``time`` in seconds since 1970, ``source`` a file descriptor as Modal numbers them."""

    number: int
    time: float
    app_id: str
    function_id: str
    container_id: str
    call_id: str
    source: pb.FileDescriptor.ValueType
    text: str

    def batch(self) -> pb.TaskLogsBatch:
        """Return this entry as the client reads it."""
        log = pb.TaskLogs(
            data=self.text, timestamp=self.time, file_descriptor=self.source, function_call_id=self.call_id
        )
        return pb.TaskLogsBatch(
            task_id=self.container_id, function_id=self.function_id, entry_id=str(self.number), items=[log]
        )


class Logs:
    """All output of all containers."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.changes = Changes()

    async def add(
        self,
        text: str,
        *,
        time: float,
        app_id: str,
        function_id: str,
        container_id: str,
        call_id: str,
        source: pb.FileDescriptor.ValueType,
    ) -> None:
        """Keep a piece of output."""
        number = len(self.entries) + 1
        self.entries.append(Entry(number, time, app_id, function_id, container_id, call_id, source, text))
        await self.changes.tell()

    def matching(
        self, request: pb.AppGetLogsRequest | pb.AppFetchLogsRequest | pb.AppCountLogsRequest
    ) -> Callable[[Entry], bool]:
        """Return whether an entry is one that a request asks for, times and positions aside."""
        source = request.file_descriptor if isinstance(request, pb.AppGetLogsRequest) else request.source

        def matches(entry: Entry) -> bool:
            return (
                (not request.app_id or entry.app_id == request.app_id)
                and (not request.task_id or entry.container_id == request.task_id)
                and (not request.function_id or entry.function_id == request.function_id)
                and (not request.function_call_id or entry.call_id == request.function_call_id)
                and (not source or entry.source == source)
                and request.search_text in entry.text
            )

        return matches
