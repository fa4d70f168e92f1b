"""What clients talk to: all calls, behind tokens and faults; and those about logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from google.protobuf.timestamp_pb2 import Timestamp
from modal_proto import api_pb2 as pb

from tests.modal_plane.account import Account
from tests.modal_plane.serving import Guarded, streaming, unary


class Front(Account, Guarded):
    """The service on the port."""

    @streaming
    async def AppGetLogs(self, request: pb.AppGetLogsRequest) -> AsyncGenerator[pb.TaskLogsBatch, None]:  # noqa: N802
        logs, matches = self.plane.logs, self.plane.logs.matching(request)
        app = self.plane.apps.get(request.app_id)
        loop = asyncio.get_running_loop()
        end = loop.time() + request.timeout
        sent = int(request.last_entry_id or 0)
        while True:
            # Seen before looking: what an app's last containers print comes before the word that it is done.
            done = app is not None and bool(app.stopped_at) and not self.plane.running(app.id)
            while sent < len(logs.entries):
                sent += 1
                if matches(logs.entries[sent - 1]):
                    yield logs.entries[sent - 1].batch()
            if done:
                yield pb.TaskLogsBatch(app_done=True)
                return
            if (left := end - loop.time()) <= 0:
                return
            await logs.changes.wait_for_more(logs.entries, sent, min(left, 0.2))

    @unary
    async def AppFetchLogs(self, request: pb.AppFetchLogsRequest) -> pb.AppFetchLogsResponse:  # noqa: N802
        matches = self.plane.logs.matching(request)
        found = [
            entry
            for entry in self.plane.logs.entries
            if matches(entry) and _seconds(request.since) <= entry.time <= _seconds(request.until)
        ]
        return pb.AppFetchLogsResponse(batches=[entry.batch() for entry in found[-request.limit :]])

    @unary
    async def AppCountLogs(self, request: pb.AppCountLogsRequest) -> pb.AppCountLogsResponse:  # noqa: N802
        matches = self.plane.logs.matching(request)
        since, until, size = _seconds(request.since), _seconds(request.until), request.bucket_secs
        counts: dict[int, int] = {}
        for entry in self.plane.logs.entries:
            if matches(entry) and since <= entry.time <= until:
                start = int(entry.time // size * size)
                counts[start] = counts.get(start, 0) + 1
        buckets = [
            pb.AppCountLogsResponse.LogBucket(bucket_start_at=Timestamp(seconds=start), stdout_logs=count)
            for start, count in sorted(counts.items())
        ]
        return pb.AppCountLogsResponse(app_id=request.app_id, buckets=buckets)


def _seconds(moment: Timestamp) -> float:
    return float(moment.seconds + moment.nanos / 1e9)
