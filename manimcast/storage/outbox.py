"""``DATA_DIR/outbox``: videos on their way into a bucket, and objects that are still to be removed from it.

Whatever lies here survives a crash and is found again by the next start. A parcel is a folder with the files and a note
on what they are to become; it goes when all of them have arrived. An order is a file that names objects to delete; it
goes when none of them is there any more. An order for the objects of a parcel makes the parcel void. A beginning is a
file that says under which id the parts of an object are being sent. All methods block.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from manimcast.spec import RenderReport, Strict
from manimcast.storage.model import StoredFile
from manimcast.storage.shelf import Shelf, flush, locked, plainly, write_flushed

Naming = Callable[[tuple[StoredFile, ...]], tuple[StoredFile, ...]]

_ORDER = ".delete-"
_DRAFT = ".draft-"
_SENT = ".sent-"
_BEGUN = ".begun-"
_WORKED = ".worked"

logger = logging.getLogger(__name__)


class _Label(Strict):
    """The note of a parcel."""

    render_id: str
    files: tuple[StoredFile, ...]
    report: RenderReport


class _Keys(Strict):
    """What an order says."""

    keys: tuple[str, ...]


class _Beginning(Strict):
    """The note of an upload in parts."""

    key: str
    upload: str


@dataclass(frozen=True)
class Parcel:
    """The files of one result and the report on them; ``sent`` are the names of those that have arrived."""

    name: str
    render_id: str
    files: tuple[StoredFile, ...]
    report: RenderReport
    sent: set[str] = field(default_factory=set)

    @property
    def keys(self) -> frozenset[str]:
        """The objects that the files become."""
        return frozenset(file.key for file in self.files if file.key is not None)


@dataclass(frozen=True)
class Order:
    """Objects to be deleted."""

    name: str
    keys: tuple[str, ...]


class Outbox:
    """The parcels and orders of this process.

    Processes that work in the same ``DATA_DIR`` have one each, in a folder that they hold a lock on. What the dead have
    left, whose locks are free, goes to whoever opens next.
    """

    def __init__(self, data: Path) -> None:
        self._all = data / "outbox"
        self._shelf = Shelf(self._all / f"{os.getpid()}-{secrets.token_hex(6)}")
        self._lock: int | None = None

    def open(self) -> tuple[list[Parcel], list[Order]]:
        """Make the folder, take over what the dead have left, and return what lies in it.

        Raises :class:`StorageError` when it cannot be used.
        """
        with plainly(f"DATA_DIR {self._all.parent} cannot be written"):
            self._all.mkdir(parents=True, exist_ok=True)
            # Locked under another name first, so that nobody ever sees it without its lock.
            draft = self._all / f"{_DRAFT}{self._shelf.folder.name}"
            draft.mkdir()
            self._lock = locked(draft)
            draft.rename(self._shelf.folder)
            for folder in self._all.iterdir():
                if folder.is_dir() and folder != self._shelf.folder and not folder.name.startswith(_DRAFT):
                    self._inherit(folder)
        self._shelf.prepare()
        with plainly("the outbox cannot be read"):
            for left in self._shelf.folder.glob(f"{_DRAFT}*"):
                left.unlink()
            orders = [order for path in sorted(self._shelf.folder.glob(f"{_ORDER}*")) if (order := _order(path))]
            void = {key for order in orders for key in order.keys}
            parcels = []
            for name, note in sorted(self._shelf.notes().items()):
                parcel = self._parcel(name, note)
                if parcel is not None and void.isdisjoint(parcel.keys):
                    parcels.append(parcel)
                elif parcel is not None:
                    self._shelf.remove(name)
        return parcels, orders

    def close(self) -> None:
        """Leave what lies here to others."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self._shelf.folder.rmdir()  # if it is empty
            os.close(self._lock)
            self._lock = None

    def _inherit(self, folder: Path) -> None:
        """Take over what a dead process has left; nothing, if it lives, or if another one is faster."""
        descriptor = locked(folder)
        if descriptor is not None:
            try:
                for path in folder.iterdir():
                    path.rename(self._shelf.folder / path.name)
                folder.rmdir()
            finally:
                os.close(descriptor)

    def pack(self, name: str, render_id: str, directory: Path, report: RenderReport, naming: Naming) -> Parcel:
        """Move the files that ``report`` names from ``directory`` into a new parcel.

        ``naming`` says which objects they are to become.
        Raises :class:`StorageError`, as :meth:`Shelf.put` does.
        """
        named: tuple[StoredFile, ...] = ()

        def note(stored: tuple[StoredFile, ...]) -> bytes:
            nonlocal named
            named = naming(stored)
            return _Label(render_id=render_id, files=named, report=report).model_dump_json().encode()

        self._shelf.put(name, directory, report.files, note=note)
        return Parcel(name, render_id, named, report)

    def path(self, parcel: Parcel, file: str) -> Path:
        """Return where a file of a parcel lies, or raise :class:`NoSuchFile`."""
        return self._shelf.path(parcel.name, file)

    def sent(self, parcel: Parcel, file: str) -> None:
        """Note that a file has arrived, so that it is not sent again after a restart."""
        parcel.sent.add(file)
        with contextlib.suppress(OSError):  # else it is sent again, which does no harm
            (self._shelf.folder / parcel.name / f"{_SENT}{file}").touch()

    def begin(self, key: str, upload: str) -> None:
        """Note under which id the parts of an object are being sent; it survives a crash, and the parcel.

        Raises :class:`StorageError`: parts that nobody knows of would stay in the bucket.
        """
        draft = self._shelf.folder / f"{_DRAFT}{secrets.token_hex(8)}"
        with plainly("the outbox cannot be written"):
            write_flushed(draft, _Beginning(key=key, upload=upload).model_dump_json().encode())
            draft.rename(self._beginning(key))
            flush(self._shelf.folder)

    def begun(self, key: str) -> str | None:
        """Return the id under which the parts of an object are being sent, if they are."""
        beginning = _beginning(self._beginning(key))
        return None if beginning is None else beginning.upload

    def all_begun(self) -> list[str]:
        """Return the objects of which parts are being sent, or were."""
        found = map(_beginning, sorted(self._shelf.folder.glob(f"{_BEGUN}*")))
        return [beginning.key for beginning in found if beginning is not None]

    def ended(self, key: str) -> None:
        """Note that no parts of an object are being sent any more."""
        with contextlib.suppress(OSError):  # else the next start finds out that there are none
            self._beginning(key).unlink(missing_ok=True)

    def _beginning(self, key: str) -> Path:
        return self._shelf.folder / f"{_BEGUN}{hashlib.sha256(key.encode()).hexdigest()[:32]}"

    def remove(self, parcel: Parcel) -> None:
        """Remove a parcel."""
        with plainly("the outbox cannot be written"):
            self._shelf.remove(parcel.name)

    def order(self, name: str, keys: tuple[str, ...]) -> Order:
        """Write an order to delete objects."""
        draft, path = self._shelf.folder / f"{_DRAFT}{name}", self._shelf.folder / f"{_ORDER}{name}"
        with plainly("the outbox cannot be written"):
            write_flushed(draft, _Keys(keys=keys).model_dump_json().encode())
            draft.rename(path)
            flush(self._shelf.folder)
        return Order(name, keys)

    def done(self, order: Order) -> None:
        """Remove an order."""
        with plainly("the outbox cannot be written"):
            (self._shelf.folder / f"{_ORDER}{order.name}").unlink(missing_ok=True)

    def has_worked(self, place: str) -> bool:
        """Tell whether the bucket ``place`` is the one that could be used last."""
        try:
            return (self._all / _WORKED).read_text(encoding="utf-8") == place
        except (OSError, UnicodeDecodeError):
            return False

    def worked(self, place: str) -> None:
        """Note that the bucket ``place`` could be used."""
        with contextlib.suppress(OSError):  # it only matters when the bucket is down at the next start
            (self._all / _WORKED).write_text(place, encoding="utf-8")

    def _parcel(self, name: str, note: bytes) -> Parcel | None:
        try:
            label = _Label.model_validate_json(note)
        except ValidationError:
            logger.error("the parcel %s cannot be read and is left alone", self._shelf.folder / name)  # noqa: TRY400
            return None
        folder = self._shelf.folder / name
        sent = {path.name.removeprefix(_SENT) for path in folder.glob(f"{_SENT}*")}
        return Parcel(name, label.render_id, label.files, label.report, sent)


def _order(path: Path) -> Order | None:
    try:
        return Order(path.name.removeprefix(_ORDER), _Keys.model_validate_json(path.read_bytes()).keys)
    except ValidationError:
        logger.error("the order %s cannot be read and is left alone", path)  # noqa: TRY400
        return None


def _beginning(path: Path) -> _Beginning | None:
    try:
        return _Beginning.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
