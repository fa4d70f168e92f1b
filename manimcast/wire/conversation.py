"""The order in which a render may say things."""

from __future__ import annotations

from manimcast.spec import Progress
from manimcast.wire.inspecting import Inspected, Inspecting, Loaded, Noted
from manimcast.wire.messages import (
    Failed,
    Finished,
    Foreseen,
    Hello,
    Logged,
    Played,
    Playing,
    Progressed,
    SegmentsAsked,
    SegmentsMade,
    Spoken,
    Started,
    Terminal,
    Typeset,
    WireError,
)

MAX_LOGGED = 2000
MAX_LOGGED_TEXT = 6 * 1024 * 1024
"""Lines that one render may have to say, and characters in all: what is logged and, from Modal, what it prints."""
MAX_QUESTIONS = 5000
"""Questions of one render: documents to have typeset, segments to look for."""
MAX_MADE = 4096
"""Segments that one render may offer to be kept."""
MAX_FORESEEN = 300
MAX_FORESEEN_TEXT = 4 * 1024 * 1024
"""Documents that it may announce, and characters in all."""


class Conversation:
    """Check that a render's messages come in an order that makes sense.

    A render that lies can only lie about itself: what it may say next depends on what it said before, indices
    and frame counts never go back, and nothing is heard after its end.

    ``inspection`` is set for a dry run, which has words of its own.

    Attributes
    ----------
    greeted
        Whether it has said hello, which it does before anything of the scene runs.
    ended
        Its last word.
    """

    def __init__(self, *, inspection: bool = False) -> None:
        self._inspection = inspection
        self.greeted = False
        self._started = False
        self._index = -1
        self._played = -1
        self._frames = 0
        self._questions = 0
        self._foreseen = 0
        self._foreseen_text = 0
        self._is_asking = False
        self._made = 0
        self._logged = 0
        self._logged_text = 0
        self.ended: Terminal | Inspected | None = None

    def accept(self, message: Spoken | Inspecting) -> None:
        """Take note of ``message``, or raise :class:`WireError` when it is out of place."""
        self._check_place(message)
        match message:
            case Hello():
                self.greeted = True
            case Started() | Loaded():
                self._start()
            case Playing() | Played():
                self._play(message)
            case Progressed(progress=progress):
                self._progress(progress)
            case Noted():
                self._needs_start(message.type)
            case Finished() | Inspected():
                self._needs_start(message.type)
                self.ended = message
            case Failed():
                self.ended = message
            case Typeset() | Foreseen():
                self._typeset(message)
            case SegmentsAsked(number=number):
                self._ask(number)
            case SegmentsMade(segments=segments):
                self._made += len(segments)
                if self._made > MAX_MADE:
                    raise WireError("more segments than allowed")
            case Logged(text=text):  # may come at any time
                self._log(text)

    def _check_place(self, message: Spoken | Inspecting) -> None:
        if self.ended is not None:
            raise WireError(f"{message.type} after the end")
        if self.greeted == isinstance(message, Hello):
            raise WireError(f"{message.type} twice" if self.greeted else f"{message.type} before hello")
        if isinstance(
            message, Inspecting if not self._inspection else Started | Playing | Played | Progressed | Finished
        ):
            raise WireError(f"{message.type} is not what was asked for")

    def _log(self, text: str) -> None:
        self._logged += 1
        self._logged_text += len(text)
        if self._logged > MAX_LOGGED or self._logged_text > MAX_LOGGED_TEXT:
            raise WireError("more is logged than allowed")

    def _play(self, message: Playing | Played) -> None:
        self._needs_start(message.type)
        if isinstance(message, Playing):
            if message.index != self._index + 1:
                raise WireError("animations are not in order")
            self._index = message.index
        else:
            if message.index != self._index or message.index == self._played:
                raise WireError("an animation ends that is not under way")
            self._played = message.index

    def _progress(self, progress: Progress) -> None:
        self._needs_start("progress")
        if progress.animation_index != self._index or progress.frames_done < self._frames:
            raise WireError("progress goes backwards")
        self._frames = progress.frames_done

    def answered(self) -> None:
        """Take note that the last question was answered: the next may come."""
        self._is_asking = False

    def _start(self) -> None:
        if self._started:
            raise WireError("started twice")
        self._started = True

    def _typeset(self, message: Typeset | Foreseen) -> None:
        if isinstance(message, Typeset):
            self._ask(message.number)
            return
        self._foreseen += 1
        self._foreseen_text += len(message.source)
        if self._foreseen > MAX_FORESEEN or self._foreseen_text > MAX_FORESEEN_TEXT:
            raise WireError("more documents are announced than allowed")

    def _ask(self, number: int) -> None:
        if self._is_asking:
            raise WireError("a question before the last one was answered")
        if number != self._questions + 1:
            raise WireError("questions are not in order")
        if number > MAX_QUESTIONS:
            raise WireError("more questions than allowed")
        self._questions = number
        self._is_asking = True

    def _needs_start(self, what: str) -> None:
        if not self._started:
            raise WireError(f"{what} before started")
