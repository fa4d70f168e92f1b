"""What a container says, made by hand, so that tests can bend it."""

from __future__ import annotations

from typing import Any

from manimcast import wire
from manimcast.executors.modal.protocol import PROTOCOL
from manimcast.spec import Format, OutputFile, OutputRole, Progress, RenderReport

Item = dict[str, Any]
RUN = "run-1"


def report(*files: tuple[str, str, int], **fields: Any) -> RenderReport:
    """Return a report that names files: role, name, bytes."""
    return RenderReport(
        **{
            "scene": "Demo",
            "format": Format.mp4,
            "media_type": "text/html",
            "width": 128,
            "height": 72,
            "frame_rate": 10,
            "frames": 3,
            "duration": 0.3,
            "animations": 1,
            "files": [OutputFile(role=OutputRole(role), name=name, bytes=size) for role, name, size in files],
            "seed": 99,
            "timings": {},
            "fingerprint": {"manim": "0.22.0"},
            "compute_seconds": 1e6,
            **fields,
        }
    )


class Talk:
    """The items of one call, numbered as they are made."""

    def __init__(self, run: str = RUN) -> None:
        self.run = run
        self.next = 0

    def item(self, kind: str, **fields: Any) -> Item:
        made = {"type": kind, "run": self.run, "seq": self.next, **fields}
        self.next += 1
        return made

    def opened(self, **fields: Any) -> Item:
        opened = {"protocol": PROTOCOL, "call_id": "fc-1", "container": "ta-1", "facts": {"manim": "0.22.0"}}
        return self.item("opened", **(opened | fields))

    def said(self, message: wire.Message) -> Item:
        return self.item("message", body=message.model_dump_json().encode())

    def chunk(self, name: str, data: bytes) -> Item:
        return self.item("chunk", name=name, data=data)

    def closed(self, seconds: float = 0.0) -> Item:
        return self.item("closed", seconds=seconds)

    def beginning(self) -> list[Item]:
        """Return what comes before the end of every render."""
        return [
            self.opened(),
            self.said(wire.Hello()),
            self.said(wire.Started(scene="Demo", width=128, height=72, frame_rate=10)),
            self.said(wire.Playing(index=0, kind="Create", duration=0.3)),
            self.said(wire.Progressed(progress=Progress(animation_index=0, animation_percent=100, frames_done=3))),
        ]

    def finished(self, *files: tuple[str, str, int], **fields: Any) -> Item:
        return self.said(wire.Finished(report=report(*files, **fields)))
