"""From an exception in a scene to an error that a person, or a program, can act on.

What matters is the line of the posted code. The traceback shows the user's frames first, and no path of the host.
"""

from __future__ import annotations

import errno
import itertools
import linecache
import re
import site
import sys
import sysconfig
import traceback
from types import TracebackType

from manimcast.engine import hints
from manimcast.engine.errors import LatexError, OutputTooLarge, SceneFailure
from manimcast.engine.source import EXCERPT_COLUMNS, excerpt, is_posted, shown, syntax_error
from manimcast.spec import ErrorCode, SceneError

MAX_FRAMES = 24

_FORBIDDEN = frozenset({errno.EPERM, errno.EACCES, errno.ENETUNREACH, errno.ENETDOWN, errno.EROFS})
_TOO_LARGE = frozenset({errno.EFBIG, errno.EDQUOT, errno.ENOSPC})


def diagnose(error: BaseException, *, animation_index: int | None) -> SceneError:
    """Return what ``error``, raised while a scene was loaded or run, means for the one who wrote the scene."""
    if isinstance(error, SceneFailure):
        return error.error
    if isinstance(error, SyntaxError) and error.filename is not None and is_posted(error.filename):
        return syntax_error(error, error.filename)
    frames = _frames(error.__traceback__)
    user_frames = [frame for frame in frames if is_posted(frame.filename)]
    where = user_frames[-1] if user_frames else None
    code = _code(error, in_scene=where is not None)
    line = where.lineno if where else None
    file = where.filename if where else None
    column, end_line, end_column = _extent(error.__traceback__, file, line)
    return SceneError(
        code=code,
        message=_message(error, code)[:4000],
        exception=type(error).__name__[:500],
        file=shown(file) if file else None,
        line=line,
        column=column,
        end_line=end_line,
        excerpt=excerpt(line, column, end_column, file=file) if file and line else None,
        animation_index=animation_index,
        hint=_clip(hints.hint(error, code), 2000),
        traceback=_clip(_format(error, frames, user_frames), 20_000),
    )


def _extent(tb: TracebackType | None, file: str | None, line: int | None) -> tuple[int | None, int | None, int | None]:
    """Return column, last line and end column of what the innermost user frame was doing, one-based.

    Columns count characters; Python's own positions count bytes of UTF-8.
    """
    last = None
    while tb is not None:
        if is_posted(tb.tb_frame.f_code.co_filename):
            last = tb
        tb = tb.tb_next
    if last is None or file is None or line is None or last.tb_lineno != line:
        return None, line, None
    positions = list(itertools.islice(last.tb_frame.f_code.co_positions(), last.tb_lasti // 2, last.tb_lasti // 2 + 1))
    if not positions or positions[0][0] is None or positions[0][2] is None:
        return None, line, None
    first, end_line, start, end = positions[0]
    if first != line:
        return None, line, None
    text = linecache.getline(file, line).encode()
    column = len(text[:start].decode(errors="replace")) + 1
    end_column = len(text[:end].decode(errors="replace")) + 1 if end_line == line and end is not None else None
    return column, max(line, end_line or line), end_column


def _clip(text: str | None, length: int) -> str | None:
    return text[:length] if text else None


def _code(error: BaseException, *, in_scene: bool) -> ErrorCode:
    chain = list(_chain(error))
    numbers = {item.errno for item in chain if isinstance(item, OSError)}
    if isinstance(error, OutputTooLarge) or numbers & _TOO_LARGE:
        return ErrorCode.output_too_large
    if any(isinstance(item, LatexError) for item in chain):
        return ErrorCode.latex_error
    if isinstance(error, MemoryError) or errno.ENOMEM in numbers:
        return ErrorCode.out_of_memory
    if isinstance(error, RecursionError | SystemExit | KeyboardInterrupt):
        return ErrorCode.exception
    if not in_scene:
        return ErrorCode.internal
    if numbers & _FORBIDDEN or _refused_process(error):
        return ErrorCode.forbidden
    return ErrorCode.exception


def _chain(error: BaseException | None) -> list[BaseException]:
    """The exception, its causes, and what it wraps (``urllib`` keeps the socket's error in ``reason``)."""
    found: list[BaseException] = []
    while error is not None and error not in found and len(found) < 10:
        found.append(error)
        reason = getattr(error, "reason", None)
        if isinstance(reason, BaseException):
            found.append(reason)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def _message(error: BaseException, code: ErrorCode) -> str:
    if isinstance(error, SystemExit):
        return f"The scene called sys.exit({error.code!r}) before it was finished."
    if isinstance(error, KeyboardInterrupt):
        return "The scene raised KeyboardInterrupt."
    if isinstance(error, RecursionError):
        return f"A function calls itself without end: {error}."
    text = _without_paths(str(error)).strip()
    if code is ErrorCode.out_of_memory:
        return f"The scene needs more memory than a render may have{f': {text}' if text else '.'}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"There is no room left for the scene's files{f': {text}' if text else '.'}"
    if _refused_process(error):
        return "The scene started more processes or threads than a render may have."
    if code is ErrorCode.forbidden:
        return f"A render may not do this: {text}"
    if code is ErrorCode.internal and _no_space(error):
        return "The service has no disk space left to write the video."
    if code is ErrorCode.internal:
        return f"The engine could not finish the video: {text or type(error).__name__}"
    return text or type(error).__name__


def _refused_process(error: BaseException) -> bool:
    """Whether a fork or a new thread met the limit on processes."""
    return (isinstance(error, BlockingIOError) and error.errno == errno.EAGAIN) or (
        isinstance(error, RuntimeError) and str(error) == "can't start new thread"
    )


def _no_space(error: BaseException) -> bool:
    return any(isinstance(item, OSError) and item.errno == errno.ENOSPC for item in _chain(error))


def _frames(tb: TracebackType | None) -> list[traceback.FrameSummary]:
    """The traceback from the posted code on: what lies above it is the engine's."""
    frames = list(traceback.StackSummary.extract(traceback.walk_tb(tb), limit=-200, lookup_lines=False))
    first = next((index for index, frame in enumerate(frames) if is_posted(frame.filename)), len(frames))
    return frames[first:] if first < len(frames) else frames


def _format(
    error: BaseException, frames: list[traceback.FrameSummary], user_frames: list[traceback.FrameSummary]
) -> str:
    """The user's frames first, most recent last, then those of the libraries that they called."""
    shown = _collapse([_line(frame) for frame in user_frames])[-MAX_FRAMES:]
    others = [frame for frame in frames if not is_posted(frame.filename) and "manimcast/engine" not in frame.filename]
    if others:
        shown.append("  in the libraries:" if shown else "  in the service:")
        shown += [_line(frame) for frame in others[-MAX_FRAMES // 2 :]]
    last = f"{type(error).__name__}: {_without_paths(str(error))}".rstrip(": ")
    return "\n".join(["Traceback (most recent call last):", *shown, last])


def _collapse(lines: list[str]) -> list[str]:
    """Tell a frame that repeats itself once, with how often."""
    shown = []
    for line, run in itertools.groupby(lines):
        times = len(list(run))
        shown.append(line if times == 1 else f"{line}\n    (and {times - 1} more of the same)")
    return shown


def _line(frame: traceback.FrameSummary) -> str:
    place = f'  File "{_without_paths(frame.filename)}", line {frame.lineno}, in {frame.name}'
    text = (frame.line or "").strip()[:EXCERPT_COLUMNS]
    return f"{place}\n    {text}" if text else place


def _roots() -> list[str]:
    roots = {*site.getsitepackages(), sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    roots |= {entry for entry in sys.path if entry}
    roots.add(str(__file__).rsplit("/manimcast/", 1)[0])
    return sorted((root.rstrip("/") for root in roots if len(root) > 1), key=len, reverse=True)


def in_short(error: BaseException) -> str:
    """Return ``error`` in one line, without paths of the host."""
    text = _without_paths(str(error)).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__


def _without_paths(text: str) -> str:
    """Shorten the host's own paths in ``text`` to what lies inside a package or the render's directory."""
    for root in _roots():
        text = text.replace(f"{root}/", "").replace(root, ".")
    return re.sub(r"(?<![\w.])/(?:root|home|tmp|var|work|srv|opt|usr)/(?:[^\s'\":,]*/)?", "…/", text)
