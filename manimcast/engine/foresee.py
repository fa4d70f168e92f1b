"""A look ahead, for the TeX that a scene will ask for: it is typeset while the scene still works on the first.

A scene meets its expressions one by one, and waits for each. When it has to wait for the first time, the process forks
a scout: a copy that goes on from there as if the answer had come, with a stand-in for each expression that it does not
know, without drawing, and announces what it would ask. Nothing of it comes back into the render but these
announcements, and nothing depends on them: a scout that goes another way than the scene, or ends early, costs time that
nobody else needed.

It is as confined as the render, and must not be noticed by the scene itself either. It writes nothing but into a
folder of its own, prints to nowhere, and ends as soon as the scene would do anything else that leaves a trace (write a
file, start a process, send a signal), as well as when its construct method ends, or its time.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from manim import Scene, config
from pydantic import ValidationError

from manimcast import wire
from manimcast.engine.errors import GoesAhead
from manimcast.engine.forking import fork
from manimcast.tex import TexResult

SECONDS = 20
"""How long a scout may live."""
MEMORY = 128 * 1024 * 1024
"""Bytes that it may take in addition to what it has from the render."""

Typeset = Callable[[str, str | Sequence[str], str], TexResult | None]


class _Scout:
    """What this process knows about being one.

    Attributes
    ----------
    pipe
        Where announcements go; None in a render.
    """

    def __init__(self) -> None:
        self.pipe: int | None = None
        self.scene: tuple[Scene, Any] | None = None
        self.waiting_for: str | None = None
        self.announced: set[str] = set()


_scout = _Scout()


def watch(scene: Scene, director: object) -> None:
    """Note which scene this process renders, and who decides about its plays. Its manager has to be there."""
    _scout.scene = scene, director
    if _scout.pipe is not None:
        _hasten(scene, director)


def leave() -> None:
    """End this process if it is a scout: what follows would be noticed by others."""
    if _scout.pipe is not None:
        _end()


def beside(ask: Typeset) -> Typeset:
    """Return ``ask`` for a render; its scout does not ask but announces, and gets a stand-in."""

    def typeset(source: str, compiler: str | Sequence[str], output_format: str) -> TexResult | None:
        if _scout.pipe is None:
            _scout.waiting_for = source
            return ask(source, compiler, output_format)
        _announce(_scout.pipe, source, compiler, output_format)
        return TexResult(svg=stand_in(source))

    return typeset


def send_ahead() -> tuple[int, int] | None:
    """Fork a scout and return its id, and a descriptor from which its announcements can be read, as frames of the wire.

    None when that is not possible, or not wise. In the scout, raises :class:`~manimcast.engine.errors.GoesAhead`.
    """
    if _is_playing() or not _has_room():
        return None
    try:
        pid, read, write = fork()
    except OSError:
        return None
    if pid:
        os.close(write)
        return pid, read
    try:
        os.close(read)
        _begin(write)
    except BaseException:  # noqa: BLE001  whatever it is, there must not be two renders
        os._exit(0)
    raise GoesAhead


def _is_playing() -> bool:
    """Whether frames are being drawn: a copy would go on writing them."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if frame.f_code.co_name == "play" and module.partition(".")[0] in {"manim", "manimcast"}:
            return True
        frame = frame.f_back
    return False


def _has_room() -> bool:
    """Whether the memory that is left to the render is enough for a copy of it."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return True
    mapped, resident = _size()
    return limit - mapped > resident + MEMORY


def _size() -> tuple[int, int]:
    page = os.sysconf("SC_PAGE_SIZE")
    mapped, resident = Path("/proc/self/statm").read_text(encoding="ascii").split()[:2]
    return int(mapped) * page, int(resident) * page


def _begin(pipe: int) -> None:
    """Be a scout."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    with suppress(OSError):
        os.nice(5)  # the render goes first
    with suppress(OSError, ValueError):
        ceiling = _size()[0] + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    folder = tempfile.mkdtemp(prefix="ahead-")
    tempfile.tempdir = folder
    config.tex_dir = f"{folder}/Tex"
    config.text_dir = f"{folder}/texts"
    _scout.pipe = pipe
    if _scout.waiting_for is not None:
        _scout.announced.add(_scout.waiting_for)
    if _scout.scene is not None:
        _hasten(*_scout.scene)
    sys.addaudithook(_traceless(folder))


def _hasten(scene: Scene, director: Any) -> None:
    """Make ``scene`` step from the beginning of each play to its end, and end with its construct method."""
    renderer: Any = scene.renderer
    manager: Any = scene.manager

    def play(scene: Scene, *args: Any, **kwargs: Any) -> None:
        scene.compile_animation_data(*args, **kwargs)
        renderer.skip_animations = True
        renderer.time += scene.duration
        scene.begin_animations()
        if not scene.is_current_animation_frozen_frame():
            scene.play_internal(skip_rendering=True)
        renderer.num_plays += 1

    renderer.play = play
    manager.post_construct = _end
    # The scene raised something, or wants to see its pixels: other processes would hear of that.
    renderer.file_writer.abort_encode_jobs = _end
    director.stand_back = director.finish = director.abort = _end


def _end(*_: object, **__: object) -> NoReturn:
    os._exit(0)


def _announce(pipe: int, source: str, compiler: str | Sequence[str], output_format: str) -> None:
    """Say that the scene will ask about this document, once."""
    if source in _scout.announced:
        return
    _scout.announced.add(source)
    if len(_scout.announced) > wire.MAX_FORESEEN or sum(map(len, _scout.announced)) > wire.MAX_FORESEEN_TEXT:
        _end()
    document = {"source": source, "compiler": compiler, "output_format": output_format}
    try:
        frame = wire.encode(wire.Foreseen.model_validate(document))
    except (ValidationError, wire.WireError):
        return  # TeX will have to run in the render
    try:
        while frame:
            frame = frame[os.write(pipe, frame) :]
    except OSError:
        _end()  # nobody listens any more


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MAKING = frozenset({"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.utime"})
_TRACES = re.compile(
    r"os\.(?:chmod|chown|exec|fork|forkpty|kill|killpg|link|lockf|posix_spawn|remove|rename|removexattr|rmdir|setxattr"
    r"|spawn|startfile|symlink|system|truncate|utime|mkdir|chflags|lchown)|pty\.|shutil\.|signal\.|socket\."
    r"|sqlite3\.connect|subprocess\.|syslog\.|fcntl\.(?:flock|lockf)|ftplib|http|smtplib|urllib"
)


def _traceless(folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Return an audit hook that ends this process where it would leave a trace outside ``folder``."""

    def is_ours(path: object) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(f"{folder}/")  # noqa: PTH100  called very often

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if flags & _WRITING and path != os.devnull and not is_ours(path):
                if isinstance(path, str) and "__pycache__" in path:
                    raise OSError("not by a scout")  # Python goes on without
                _end()
        elif _TRACES.match(event) and not (event in _MAKING and is_ours(args[0])):
            _end()

    return hook


_PART = re.compile(r"\\special\s*\{dvisvgm:raw (<g id='[\w-]+'>|</g>)\}")
_SIGN = re.compile(r"\\[A-Za-z]+|[^\s\\{}$&^_]")


def stand_in(document: str) -> str:
    """Return an SVG with the parts that Manim looks for in what ``document`` becomes, and about as many glyphs."""
    _, _, body = document.partition(r"\begin{document}")
    pieces, signs = [], 0
    for index, piece in enumerate(_PART.split(body.partition(r"\end{document}")[0])):
        if index % 2:
            pieces.append(piece)
            continue
        for _ in _SIGN.findall(re.sub(r"\\(?:begin|end)\{[a-z*]+\}", "", piece)):
            pieces.append(f"<path d='M{signs * 6} 0h5v5h-5z'/>")
            signs += 1
    return f"<svg xmlns='http://www.w3.org/2000/svg' width='{signs * 6 + 6}' height='6'>{''.join(pieces)}</svg>"
