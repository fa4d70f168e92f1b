"""The bytes between a render's process and the service.

Both directions carry frames on one byte stream: four bytes of length (big-endian, unsigned), then that many
bytes of UTF-8 JSON, one message each. Nothing else ever crosses: no pickles, no descriptors, no references
to memory. The service treats what it reads as hostile, so a frame has a greatest length, a message has a
known type with bounded fields, a stream has a greatest number of messages and of bytes, and the order of
messages is checked.

The service speaks first, with one :class:`Job`. The render answers with :class:`Hello`; the assets of the job follow,
each as many bytes as it is said to have, which are no messages. Then come any number of
:class:`Started`, :class:`Playing`, :class:`Progressed`, :class:`Played` and :class:`Logged`, and last exactly one
:class:`Finished` or :class:`Failed`. In between it may ask with :class:`Typeset` for what TeX makes of a document, one
question at a time, and gets one :class:`Typesetting` back; or with :class:`SegmentsAsked` which segments are kept, and
gets one :class:`SegmentsFound`. With :class:`SegmentsMade` it offers segments of its own.

Such a question is answered by a process of its own, which speaks the same frames: the service sends it one
:class:`TexJob`, and it says :class:`Hello` and :class:`TexDone`; or a :class:`FormatJob`, answered by
:class:`FormatDone`. Another one joins videos: it is sent a :class:`JoinJob`, the videos after its hello, and ends with
:class:`JoinDone`. A render may also say with :class:`Foreseen` what it will probably ask.

A dry run is asked for with an :class:`InspectJob` and has words of its own; see :mod:`manimcast.wire.inspecting`.

What a render says besides its questions, as dictionaries, is what a remote executor yields.
"""

from __future__ import annotations

from manimcast.wire.conversation import (
    MAX_FORESEEN,
    MAX_FORESEEN_TEXT,
    MAX_LOGGED,
    MAX_LOGGED_TEXT,
    MAX_MADE,
    MAX_QUESTIONS,
    Conversation,
)
from manimcast.wire.frames import (
    HEADER,
    MAX_FRAME,
    MAX_JOB_FRAME,
    MAX_MESSAGES,
    MAX_PARTS,
    MAX_STREAM,
    MAX_TEX_FRAME,
    FrameDecoder,
    encode,
    parse,
    parse_answer,
    parse_from_canary,
    parse_from_format,
    parse_from_join,
    parse_from_tex,
    parse_job,
    parse_spoken,
)
from manimcast.wire.inspecting import (
    Inspected,
    Inspecting,
    InspectJob,
    Loaded,
    Noted,
)
from manimcast.wire.messages import (
    JOINED,
    MAX_JOINED,
    MAX_KEYS,
    REUSE,
    VERSION,
    CanaryDone,
    CanaryJob,
    Failed,
    Finished,
    Foreseen,
    FormatDone,
    FormatJob,
    Hello,
    Job,
    JoinDone,
    JoinJob,
    JoinPart,
    Limits,
    Logged,
    MadeSegment,
    Message,
    Played,
    Playing,
    Progressed,
    SegmentKey,
    SegmentsAsked,
    SegmentsFound,
    SegmentsMade,
    Spoken,
    Started,
    Terminal,
    TexDone,
    TexJob,
    Typeset,
    Typesetting,
    WireError,
)

__all__ = [
    "HEADER",
    "JOINED",
    "MAX_FORESEEN",
    "MAX_FORESEEN_TEXT",
    "MAX_FRAME",
    "MAX_JOB_FRAME",
    "MAX_JOINED",
    "MAX_KEYS",
    "MAX_LOGGED",
    "MAX_LOGGED_TEXT",
    "MAX_MADE",
    "MAX_MESSAGES",
    "MAX_PARTS",
    "MAX_QUESTIONS",
    "MAX_STREAM",
    "MAX_TEX_FRAME",
    "REUSE",
    "VERSION",
    "CanaryDone",
    "CanaryJob",
    "Conversation",
    "Failed",
    "Finished",
    "Foreseen",
    "FormatDone",
    "FormatJob",
    "FrameDecoder",
    "Hello",
    "InspectJob",
    "Inspected",
    "Inspecting",
    "Job",
    "JoinDone",
    "JoinJob",
    "JoinPart",
    "Limits",
    "Loaded",
    "Logged",
    "MadeSegment",
    "Message",
    "Noted",
    "Played",
    "Playing",
    "Progressed",
    "SegmentKey",
    "SegmentsAsked",
    "SegmentsFound",
    "SegmentsMade",
    "Spoken",
    "Started",
    "Terminal",
    "TexDone",
    "TexJob",
    "Typeset",
    "Typesetting",
    "WireError",
    "encode",
    "parse",
    "parse_answer",
    "parse_from_canary",
    "parse_from_format",
    "parse_from_join",
    "parse_from_tex",
    "parse_job",
    "parse_spoken",
]
