"""Where a finished render goes: the name of its file, and putting it there in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from manimcast.spec import Format, OutputRole, RenderReport


class OutputError(Exception):
    """The wish for an output cannot be met. The message says why."""


@dataclass(frozen=True)
class Saved:
    """The files of one render, where the user finds them. ``replaced`` if there was a video of that name before."""

    video: Path
    subtitles: Path | None
    sections: tuple[Path, ...]
    replaced: bool


@dataclass(frozen=True)
class Destination:
    """A folder, and the name of the file in it; without a name, files are named after their scenes."""

    folder: Path
    file: str | None = None

    @classmethod
    def of(cls, out: str | None, *, several: bool) -> Destination:
        """Understand what the user wrote: nothing (the working directory), a folder, or a file.

        A folder exists, or is written with a slash at the end, or has no ending when there are ``several`` scenes.
        Raises :class:`OutputError` when several scenes would go to one file.
        """
        if out is None:
            return cls(Path())
        path = Path(out)
        if path.is_dir() or out.endswith(os.sep) or (several and not path.suffix and not path.exists()):
            return cls(path)
        if several:
            raise OutputError(f"{out} is one file, but there are several scenes: give a folder, for example out/")
        if path.exists() and not path.is_file():
            raise OutputError(f"{out} exists and is not a regular file")
        return cls(path.parent, path.name)

    def format(self, wanted: str | None, *, transparent: bool) -> Format:
        """Return the format to render: the one ``wanted``, else the one the file is named after, else the usual one.

        The usual one is mp4, and mov for a transparent video, as with manim. Raises :class:`OutputError` when the
        two contradict each other, or when the file has an ending that is no format.
        """
        ending = Path(self.file).suffix.lower().removeprefix(".") if self.file else ""
        if ending and ending not in Format.__members__:
            raise OutputError(f"{self.file}: the ending .{ending} is none of {', '.join(Format)}")
        if wanted and ending and wanted != ending:
            raise OutputError(f"{self.file} ends in .{ending}, but the format asked for is {wanted}")
        return Format(wanted or ending or ("mov" if transparent else "mp4"))

    def prepare(self) -> None:
        """Make the folder, and see that it can be written to, before the work starts.

        Raises :class:`OutputError`.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {self.folder}: {error.strerror}") from None
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write to the folder {self.folder.absolute()}")

    def save(self, report: RenderReport, made_in: Path) -> Saved:
        """Copy the files of a finished render from the directory ``made_in`` to where the user wants them.

        Subtitles go beside the video with their own ending, sections into a folder ``<name>-sections``. A file of
        the same name is replaced, as manim does, but only now that there is something to replace it with, and in
        one step. Raises :class:`OutputError`.
        """
        target = self.folder / self._name(report)
        if target.exists() and not target.is_file():
            raise OutputError(f"{target} exists and is not a regular file")
        replaced = target.exists()
        subtitles = report.file(OutputRole.subtitles)
        beside = target.with_suffix(Path(subtitles.name).suffix) if subtitles else None
        folder = target.with_name(f"{target.stem}-sections")
        sections = [file.name for file in report.files if file.role is OutputRole.section]
        try:
            if subtitles and beside:
                _place(made_in / subtitles.name, beside)
            if sections:
                folder.mkdir(exist_ok=True)
            for section in sections:
                _place(made_in / section, folder / section)
            _place(made_in / report.video.name, target)
        except OSError as error:
            where = error.filename2 or error.filename or target
            raise OutputError(f"cannot write {where}: {error.strerror}") from None
        return Saved(target, beside, tuple(folder / section for section in sections), replaced)

    def _name(self, report: RenderReport) -> str:
        ending = Path(report.video.name).suffix
        if self.file is None:
            # The scene's name comes from the code; only a plain class name may become part of a path.
            return (report.scene if report.scene.isidentifier() else "scene") + ending
        return self.file if Path(self.file).suffix else self.file + ending


def _place(source: Path, target: Path) -> None:
    """Put ``source`` at ``target``; whoever looks sees the old file or the new one, never half of it."""
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=".manimcast-", suffix=target.suffix)
    os.close(handle)
    try:
        shutil.copyfile(source, partial)
        Path(partial).chmod(0o666 & ~_umask())
        Path(partial).replace(target)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
