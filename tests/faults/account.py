"""The account: what became of each render, and whatever is not as it should be, in words."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import av
import httpx

from tests.faults.crowd import ENDS, Asked
from tests.faults.receiver import Receiver, Told
from tests.faults.replicas import CLOCK, RENDER, Fault, Replicas
from tests.sse import Sent, parse

MOST_LOST = 5
"""Attempts that may be lost: less than three to the end of a service, less than three to that of a warm process, and
one to a shutdown, which is not counted."""
NOTICING = timedelta(seconds=10)
"""Seconds in which an attempt may still be begun with a warm process that has just been killed."""


@dataclass(frozen=True)
class Entry:
    """One render in the account."""

    asked: Asked
    render: dict[str, Any]
    events: list[Sent]
    told: list[Told]
    video: str
    wrong: tuple[str, ...]

    def row(self) -> tuple[str, ...]:
        """Return it as a row of the table."""
        error = (self.render["error"] or {}).get("message", "")
        delivered = sum(one.status == 204 for one in self.told)
        return (
            self.asked.id[-8:],
            self.render["status"],
            str(self.render["attempt"]),
            str(len(self.events)),
            str(self.asked.cuts),
            self.video,
            f"{delivered}/{len(self.told)}",
            "; ".join(self.wrong) or error[:60],
        )


@dataclass
class Account:
    """All of them, what was done meanwhile, and what is wrong with the whole."""

    seed: int
    where: str
    entries: list[Entry]
    faults: list[Fault]
    wrong: list[str]

    def problems(self) -> list[str]:
        """Return all that is wrong, in words."""
        return [*self.wrong, *(f"{one.asked.id}: {what}" for one in self.entries for what in one.wrong)]

    def text(self) -> str:
        """Return the account as it is printed."""
        kinds = Counter(fault.kind for fault in self.faults)
        states = Counter(one.render["status"] for one in self.entries)
        attempts = Counter(one.render["attempt"] for one in self.entries)
        head = ("render", "status", "attempts", "events", "streams", "video", "webhook", "remarks")
        lines = [
            *_table([head, *(one.row() for one in self.entries)]),
            "",
            f"{self.where}, seed {self.seed}: {len(self.entries)} renders, {_counts(states)}",
            f"faults: {len(self.faults)}, {_counts(kinds)}",
            f"attempts: {_counts({f'{count} with {number}': count for number, count in attempts.items()}, bare=True)}",
            f"event streams: {sum(one.asked.cuts for one in self.entries)}",
            f"webhooks: {sum(len(one.told) for one in self.entries)} deliveries of "
            f"{len({told.message for one in self.entries for told in one.told})} messages",
            *(f"WRONG: {problem}" for problem in self.problems()),
        ]
        return "\n".join(lines)


def _counts(counts: dict[Any, int], *, bare: bool = False) -> str:
    return ", ".join(str(name) if bare else f"{count} {name}" for name, count in sorted(counts.items()))


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def account_for(client: httpx.Client, asked: Asked, receiver: Receiver, faults: Sequence[Fault]) -> Entry:
    """Look at everything that is known of one render."""
    render = client.get(f"/v1/renders/{asked.id}").json()
    with client.stream("GET", f"/v1/renders/{asked.id}/events") as answer:
        events = list(parse(answer.iter_lines()))
    told = [one for one in receiver.told if one.render["id"] == asked.id]
    video, wrong = _video(client, render)
    wrong += [*_end(asked, render), *_events(asked, render, events), *_attempts(events, faults)]
    wrong += _webhook(render, told)
    return Entry(asked, render, events, told, video, tuple(wrong))


def listed(client: httpx.Client) -> list[str]:
    """Return the ids of all renders that there are."""
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/renders", params={"limit": 100, **cursor}).json()
        ids += [render["id"] for render in page["renders"]]
        if page["next_cursor"] is None:
            return ids
        cursor = {"cursor": page["next_cursor"]}


def whole(replicas: Replicas, entries: Iterable[Entry], stored: set[str], ids: list[str]) -> Iterator[str]:
    """Say what is wrong with all of them together; ``stored`` are the keys or places that the storage holds."""
    known = [one.asked.id for one in entries]
    if sorted(ids) != sorted(known):
        yield f"asked for are {len(known)} renders, and there are {len(ids)}"
    shown = {place for one in entries for place in places(one.render)}
    for key in sorted(stored - shown):
        yield f"{key} is stored and belongs to nobody"
    for key in sorted(shown - stored):
        yield f"{key} is shown and is not stored"
    for replica in replicas.all:
        if replica.server is not None and (left := replica.server.scratch()):
            yield f"replica {replica.number} has left {left}"


def places(render: dict[str, Any]) -> set[str]:
    """Return what of the storage a render shows: the objects of a bucket, or the folder of this service."""
    links = [(render["result"] or {}).get(name) for name in ("video_url", "poster_url")]
    parts = [httpx.URL(link).path.strip("/").split("/") for link in links if link]
    return {part[2] if part[:2] == ["v1", "files"] else part[-1] for part in parts}


def _end(asked: Asked, render: dict[str, Any]) -> Iterator[str]:
    status, error = render["status"], render["error"] or {}
    if status not in ENDS:
        yield f"has not ended, it is {status}"
    if status == "canceled" and not asked.is_canceled:
        yield "is canceled, and nobody has asked for that"
    if status == "succeeded" and render["cost"] is None:
        yield "has succeeded, and nothing is said of its cost"
    if status != "succeeded" and render["cost"] is not None:
        yield "has a cost and no video"
    if status == "succeeded" and asked.is_failing:
        yield "has succeeded, and its scene fails"
    if status == "failed" and not asked.is_failing and not _is_explained(render):
        yield f"has failed: {error.get('message')}"
    if (status == "succeeded") != (render["result"] is not None):
        yield "its result and its status do not agree"


def _is_explained(render: dict[str, Any]) -> bool:
    """Tell whether a scene that is right may fail so: its process was killed, or all attempts were lost."""
    error = render["error"]
    return "ended by a signal: Killed" in error["message"] or (error["code"] == "internal" and render["attempt"] >= 3)


def _video(client: httpx.Client, render: dict[str, Any]) -> tuple[str, list[str]]:
    """Fetch and decode the video; return what is to be said of it, and what is wrong."""
    result = render["result"]
    if result is None:
        return "-", []
    answer = client.get(result["video_url"])
    if answer.status_code != 200:
        return "missing", [f"its video answers {answer.status_code}"]
    found = (len(answer.content), hashlib.sha256(answer.content).hexdigest())
    if found != (result["bytes"], result["sha256"]):
        return "wrong", [f"its video is {found}, and it says {(result['bytes'], result['sha256'])}"]
    with av.open(io.BytesIO(answer.content)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    if frames != result["frames"]:
        return "wrong", [f"its video has {frames} frames, and it says {result['frames']}"]
    return f"{len(answer.content)} B", []


def _events(asked: Asked, render: dict[str, Any], events: list[Sent]) -> Iterator[str]:
    kinds = [sent.event for sent in events]
    ends = [kind for kind in kinds if kind in ENDS]
    if ends != [render["status"]] or kinds[-1] != render["status"]:
        yield f"its events end with {ends}, and it is {render['status']}"
    numbers = [sent.id for sent in events]
    if numbers != sorted(set(numbers)):
        yield "its events are out of order"
    begun = [sent.data["attempt"] for sent in events if sent.event == "running"]
    if begun != list(range(1, render["attempt"] + 1)):
        yield f"its attempts are told as {begun}, and it has {render['attempt']}"
    # Of progress only the newest stays, so a stream that was heard as it came may have more of that.
    lasting = [(sent.id, sent.event) for sent in events if sent.event != "progress"]
    heard = [(sent.id, sent.event) for sent in asked.heard if sent.event != "progress"]
    if heard != lasting:
        yield f"its client has heard {heard} and the table has {lasting}"
    if [sent.id for sent in asked.heard] != sorted({sent.id for sent in asked.heard}):
        yield "its client has heard events twice"


def _attempts(events: list[Sent], faults: Sequence[Fault]) -> Iterator[str]:
    """Say which attempts were given up without a reason: during each something must have been killed."""
    begun: datetime | None = None
    lost = 0
    for sent in events:
        when = datetime.fromisoformat(sent.data["time"])
        if sent.event == "running":
            begun = when
        elif sent.event == "queued" and begun is not None:
            lost += 1
            if not any(_is_cause(fault, begun, when) for fault in faults):
                yield f"its attempt {sent.data['attempt']} was given up at {when} and nothing was killed"
    if lost > MOST_LOST:
        yield f"{lost} of its attempts were lost"


def _is_cause(fault: Fault, begun: datetime, lost: datetime) -> bool:
    return fault.kind not in {RENDER, CLOCK} and fault.began <= lost and fault.ended + NOTICING >= begun


def _webhook(render: dict[str, Any], told: list[Told]) -> Iterator[str]:
    if not any(one.status == 204 for one in told):
        yield "its webhook was not delivered"
    if len({one.message for one in told}) > 1:
        yield "its webhook has more than one id"
    for one in told:
        wrong = [name for name in ("status", "attempt", "error", "cost") if one.render[name] != render[name]]
        if one.type != f"render.{render['status']}" or wrong:
            yield f"its webhook says {one.type}, and differs in {wrong}"
            return
        if (one.render["result"] or {}).get("sha256") != (render["result"] or {}).get("sha256"):
            yield "its webhook tells of another video"
            return
