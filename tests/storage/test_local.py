"""The local storage: what it takes, what it hands out, and what is left when it cannot."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from manimcast.settings import Settings
from manimcast.spec import OutputFile, OutputRole, RenderReport
from manimcast.storage import LinkForged, LocalStorage, NoSuchFile, StorageError, StoredFile
from manimcast.storage.shelf import opened
from tests.disks import UNSHARE, needs_disks
from tests.patience import PATIENCE
from tests.reports import a_report, video


def settings(data: Path, **fields: object) -> Settings:
    return Settings(_env_file=None, **{"data_dir": data, **fields})  # type: ignore[arg-type]


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    storage = LocalStorage(settings(tmp_path / "data"))
    asyncio.run(storage.start())
    return storage


def written(folder: Path, **files: bytes) -> RenderReport:
    """Write files, named ``video_mp4`` for ``video.mp4``, and return the report of a render that did."""
    folder.mkdir(parents=True, exist_ok=True)
    outputs = []
    for key, content in files.items():
        name = key.replace("_", ".")
        (folder / name).write_bytes(content)
        outputs.append(OutputFile(role=OutputRole(name.split(".")[0]), name=name, bytes=len(content)))
    return a_report(*outputs)


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_are_moved_in_and_handed_out(tmp_path: Path, storage: LocalStorage) -> None:
    work = tmp_path / "data" / "work"
    stored = asyncio.run(storage.put("rnd_1", work, written(work, video_mp4=b"moving", poster_png=b"still")))
    assert stored.video.bytes == 6
    assert stored.video.sha256 == hashlib.sha256(b"moving").hexdigest()
    assert stored.video.media_type == "video/mp4"
    poster = stored.file(OutputRole.poster)
    assert poster is not None
    assert poster.media_type == "image/png"
    assert stored.file(OutputRole.subtitles) is None
    assert storage.path("rnd_1", "video.mp4") == tmp_path / "data" / "videos" / "rnd_1" / "video.mp4"
    with asyncio.run(storage.read("rnd_1", poster)) as file:
        assert file.read() == b"still"
    assert list(work.iterdir()) == []


def test_a_later_attempt_replaces_what_an_earlier_one_stored(tmp_path: Path, storage: LocalStorage) -> None:
    asyncio.run(storage.put("rnd_1", tmp_path / "a", written(tmp_path / "a", video_mp4=b"old", poster_png=b"old")))
    asyncio.run(storage.put("rnd_1", tmp_path / "b", written(tmp_path / "b", video_mp4=b"new")))
    assert storage.path("rnd_1", "video.mp4").read_bytes() == b"new"
    with pytest.raises(NoSuchFile):
        storage.path("rnd_1", "poster.png")
    assert everything_in(tmp_path / "data" / "videos") == ["rnd_1", "rnd_1/video.mp4"]


def test_deleting_leaves_nothing_and_may_be_repeated(tmp_path: Path, storage: LocalStorage) -> None:
    asyncio.run(storage.put("rnd_1", tmp_path / "a", written(tmp_path / "a", video_mp4=b"x")))
    for _ in range(2):
        asyncio.run(storage.delete("rnd_1"))
    assert everything_in(tmp_path / "data" / "videos") == []


@pytest.mark.parametrize(
    ("render_id", "name"),
    [
        ("..", "signing.key"),
        ("rnd_1", "../../signing.key"),
        ("rnd_1/..", "video.mp4"),
        ("", "video.mp4"),
        (".", "video.mp4"),
        ("rnd_1", ""),
        ("rnd_1", "."),
        ("rnd_1", ".."),
        ("rnd_1", "video.mp4\0"),
        ("rnd_1", "video.mp4\n"),
        ("rnd_1", "/etc/passwd"),
        ("rnd_1", "Video.mp4"),
        ("rnd_1", "missing.mp4"),
        ("rnd_2", "video.mp4"),
        ("rnd_1", "pointer.mp4"),
        ("rnd_1", "folder.mp4"),
    ],
)
def test_nothing_but_stored_files_can_be_named(
    tmp_path: Path, storage: LocalStorage, render_id: str, name: str
) -> None:
    asyncio.run(storage.put("rnd_1", tmp_path / "a", written(tmp_path / "a", video_mp4=b"x")))
    folder = storage.path("rnd_1", "video.mp4").parent
    (folder / "pointer.mp4").symlink_to(tmp_path / "data" / "signing.key")
    (folder / "folder.mp4").mkdir()
    with pytest.raises(NoSuchFile):
        storage.path(render_id, name)
    with pytest.raises(NoSuchFile):
        asyncio.run(storage.read(render_id, StoredFile.model_construct(name=name)))


def test_what_is_gone_or_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile, match="not there any more"):
        opened(tmp_path / "gone.mp4")
    with pytest.raises(StorageError, match="cannot be read: Is a directory"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "case", ["missing", "other size", "symbolic link", "folder", "pipe", "bad name", "bad id", "no video"]
)
def test_what_is_not_as_reported_is_refused_and_leaves_nothing(
    tmp_path: Path, storage: LocalStorage, case: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "poster.png").write_bytes(b"still")
    (tmp_path / "secret").write_bytes(b"12345")
    files = [OutputFile(role=OutputRole.poster, name="poster.png", bytes=5), video()]
    match case:
        case "other size":
            (work / "video.mp4").write_bytes(b"123456")
        case "symbolic link":
            (work / "video.mp4").symlink_to(tmp_path / "secret")
        case "folder":
            (work / "video.mp4").mkdir()
        case "pipe":
            os.mkfifo(work / "video.mp4")
        case "bad name":
            files[1] = video(name="../secret")
        case "bad id":
            (work / "video.mp4").write_bytes(b"12345")
        case "no video":
            files.pop()
    with pytest.raises(StorageError):
        asyncio.run(storage.put("../x" if case == "bad id" else "rnd_1", work, a_report(*files)))
    assert everything_in(tmp_path / "data") == ["signing.key", "storing", "videos"]
    assert (tmp_path / "secret").read_bytes() == b"12345"


def test_a_data_dir_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"DATA_DIR .*file/data cannot be written: .*set DATA_DIR to a folder"):
        asyncio.run(LocalStorage(settings(tmp_path / "file" / "data")).start())


def test_what_a_killed_service_left_is_cleared_away(tmp_path: Path, storage: LocalStorage) -> None:
    videos = tmp_path / "data" / "videos"
    asyncio.run(storage.put("rnd_1", tmp_path / "a", written(tmp_path / "a", video_mp4=b"x")))
    (videos / ".incoming-rnd_2-00").mkdir()
    (videos / ".incoming-rnd_2-00" / "video.mp4").write_bytes(b"half")
    asyncio.run(LocalStorage(settings(tmp_path / "data")).start())
    assert everything_in(videos) == ["rnd_1", "rnd_1/video.mp4"]


def test_what_another_service_is_writing_is_left_alone(tmp_path: Path, storage: LocalStorage) -> None:
    folder = tmp_path / "data" / "videos" / ".incoming-rnd_2-00"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    asyncio.run(LocalStorage(settings(tmp_path / "data")).start())
    assert folder.exists()
    os.close(descriptor)
    asyncio.run(LocalStorage(settings(tmp_path / "data")).start())
    assert not folder.exists()


def test_links_survive_a_restart_and_follow_the_setting(tmp_path: Path, storage: LocalStorage) -> None:
    link = storage.sign("rnd_1", "video.mp4", 60)
    again = LocalStorage(settings(tmp_path / "data"))
    asyncio.run(again.start())
    again.verify("rnd_1", "video.mp4", expires=str(link.expires), signature=link.signature)
    own = LocalStorage(settings(tmp_path / "data", signing_key="another key of 20"))
    asyncio.run(own.start())
    with pytest.raises(LinkForged):
        own.verify("rnd_1", "video.mp4", expires=str(link.expires), signature=link.signature)
    assert storage.sign("rnd_1", "video.mp4").expires - link.expires > 86_000


FULL_DISK = """
import asyncio, subprocess, sys
from pathlib import Path
from manimcast.storage import LocalStorage, StorageError
from tests.storage.test_local import everything_in, settings, written

base = Path(sys.argv[1])
storage = LocalStorage(settings(base / "data"))
(base / "data" / "videos").mkdir(parents=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", base / "data" / "videos"], check=True)
asyncio.run(storage.start())
small = asyncio.run(storage.put("rnd_1", base / "a", written(base / "a", video_mp4=b"x" * 1000)))
assert storage.path("rnd_1", "video.mp4").stat().st_size == small.video.bytes == 1000
try:
    asyncio.run(storage.put("rnd_2", base / "b", written(base / "b", video_mp4=b"x" * 200_000)))
except StorageError as error:
    print(error)
print(everything_in(base / "data" / "videos"))
"""


@needs_disks
def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    """On a file system of its own, so this also shows that videos may lie on another one than the work."""
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-c", FULL_DISK, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=Path(__file__).parents[2],
    )
    assert done.stderr == ""
    message, left = done.stdout.splitlines()
    assert message.startswith("the video could not be stored: No space left on device. The disk is full")
    assert left == "['rnd_1', 'rnd_1/video.mp4']"


def test_what_renders_use_is_kept_by_its_key(storage: LocalStorage, tmp_path: Path) -> None:
    key, other = "a" * 64, "b" * 64
    (tmp_path / "file").write_bytes(b"bytes")
    asyncio.run(storage.keep(key, tmp_path / "file"))
    with asyncio.run(storage.fetch(key)) as file:
        asyncio.run(storage.drop(key))
        assert file.read() == b"bytes"
    asyncio.run(storage.drop(key))
    for gone in (key, other, "../../manimcast.db", ""):
        with pytest.raises(NoSuchFile):
            asyncio.run(storage.fetch(gone))
