"""What lies in the outbox is found again, whole, by whoever opens it next."""

from __future__ import annotations

from pathlib import Path

import pytest

from manimcast.storage import NoSuchFile, StorageError, StoredFile
from manimcast.storage.outbox import Outbox, Parcel
from tests.storage.test_local import everything_in, written


def with_keys(files: tuple[StoredFile, ...]) -> tuple[StoredFile, ...]:
    return tuple(file.model_copy(update={"key": f"key-of-{file.name}"}) for file in files)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    opened = Outbox(tmp_path / "data")
    assert opened.open() == ([], [])
    return opened


def again(tmp_path: Path, outbox: Outbox) -> Outbox:
    """Return an outbox that another process would have, now that the first one's is dead."""
    outbox.close()
    return Outbox(tmp_path / "data")


def folder_of(tmp_path: Path) -> Path:
    (folder,) = (path for path in (tmp_path / "data" / "outbox").iterdir() if path.is_dir())
    return folder


def packed(tmp_path: Path, outbox: Outbox, name: str = "one") -> Parcel:
    report = written(tmp_path / "work", video_mp4=b"moving", poster_png=b"still")
    return outbox.pack(name, "rnd_1", tmp_path / "work", report, with_keys)


def test_a_parcel_survives(tmp_path: Path, outbox: Outbox) -> None:
    parcel = packed(tmp_path, outbox)
    assert parcel.keys == {"key-of-video.mp4", "key-of-poster.png"}
    assert outbox.path(parcel, "video.mp4").read_bytes() == b"moving"
    outbox.sent(parcel, "poster.png")
    outbox = again(tmp_path, outbox)
    assert outbox.open() == ([parcel], [])
    assert parcel.sent == {"poster.png"}
    with pytest.raises(NoSuchFile):
        outbox.path(parcel, ".note")
    outbox.remove(parcel)
    outbox = again(tmp_path, outbox)
    assert outbox.open() == ([], [])
    outbox.close()
    assert everything_in(tmp_path / "data") == ["outbox"]


def test_what_is_anothers_who_lives_is_left_alone(tmp_path: Path, outbox: Outbox) -> None:
    parcel = packed(tmp_path, outbox)
    other = Outbox(tmp_path / "data")
    assert other.open() == ([], [])
    assert outbox.path(parcel, "video.mp4").read_bytes() == b"moving"
    outbox.close()
    assert again(tmp_path, other).open() == ([parcel], [])


def test_an_order_makes_its_parcel_void(tmp_path: Path, outbox: Outbox) -> None:
    packed(tmp_path, outbox)
    kept = outbox.pack("two", "rnd_2", tmp_path / "b", written(tmp_path / "b", video_mp4=b"x"), lambda files: files)
    order = outbox.order("o", ("key-of-video.mp4", "key-of-poster.png"))
    outbox = again(tmp_path, outbox)
    assert outbox.open() == ([kept], [order])
    assert not (folder_of(tmp_path) / "one").exists()
    outbox.done(order)
    outbox.done(order)
    assert again(tmp_path, outbox).open() == ([kept], [])


def test_what_a_killed_service_left_half_written_is_cleared_away(tmp_path: Path, outbox: Outbox) -> None:
    folder = folder_of(tmp_path)
    (folder / ".draft-o").write_bytes(b'{"keys"')
    (folder / ".incoming-three-00").mkdir()
    (folder / ".incoming-three-00" / "video.mp4").write_bytes(b"half")
    outbox = again(tmp_path, outbox)
    assert outbox.open() == ([], [])
    outbox.close()
    assert everything_in(tmp_path / "data") == ["outbox"]


def test_what_cannot_be_read_is_left_alone(tmp_path: Path, outbox: Outbox) -> None:
    packed(tmp_path, outbox)
    (folder_of(tmp_path) / "one" / ".note").write_bytes(b"{}")
    (folder_of(tmp_path) / ".delete-x").write_bytes(b"[]")
    assert again(tmp_path, outbox).open() == ([], [])
    assert (folder_of(tmp_path) / "one" / "video.mp4").exists()


def test_a_full_disk_keeps_nothing_and_is_explained(
    tmp_path: Path, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("manimcast.storage.shelf.write_flushed", full)
    with pytest.raises(StorageError, match=r"could not be stored: No space left.*set DATA_DIR to a folder"):
        packed(tmp_path, outbox)
    monkeypatch.setattr("manimcast.storage.outbox.write_flushed", full)
    with pytest.raises(StorageError, match=r"outbox cannot be written: No space left"):
        outbox.order("o", ("key",))
    assert list(folder_of(tmp_path).iterdir()) == []


def test_the_bucket_that_worked_is_remembered(tmp_path: Path, outbox: Outbox) -> None:
    assert not outbox.has_worked("s3 here films")
    outbox.worked("s3 here films")
    other = Outbox(tmp_path / "data")
    assert other.has_worked("s3 here films")
    assert not other.has_worked("s3 here videos")
    other.open()
    assert other.has_worked("s3 here films")


def test_a_beginning_survives_and_outlives_its_parcel(tmp_path: Path, outbox: Outbox) -> None:
    parcel = packed(tmp_path, outbox)
    outbox.begin("key-of-video.mp4", "upload 1")
    outbox.begin("key-of-video.mp4", "upload 2")
    outbox.begin("another/key", "upload 3")
    outbox = again(tmp_path, outbox)
    assert outbox.open() == ([parcel], [])
    assert outbox.begun("key-of-video.mp4") == "upload 2"
    outbox.remove(parcel)
    assert sorted(outbox.all_begun()) == ["another/key", "key-of-video.mp4"]
    outbox.ended("key-of-video.mp4")
    outbox.ended("key-of-video.mp4")
    assert (outbox.begun("key-of-video.mp4"), outbox.all_begun()) == (None, ["another/key"])


def test_a_beginning_that_cannot_be_read_is_none(tmp_path: Path, outbox: Outbox) -> None:
    outbox.begin("key", "upload")
    (note,) = folder_of(tmp_path).glob(".begun-*")
    note.write_bytes(b'{"key": "key"')
    assert (outbox.begun("key"), outbox.all_begun()) == (None, [])
