"""Archives: plain ones are unpacked; bombs, ways out, links, doubles and secrets are refused, whatever they claim."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from manimcast.engine import unpack as module
from manimcast.engine.unpack import UnpackError, unpack


def packed(folder: Path, write: Callable[[zipfile.ZipFile], None]) -> Path:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        write(archive)
    return path


def entry(name: str, *, mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = method
    return info


def test_plain_files_and_folders(tmp_path: Path) -> None:
    def write(archive: zipfile.ZipFile) -> None:
        archive.mkdir("lib")
        archive.writestr("main.py", "x = 1\n")
        archive.writestr(entry("lib/größe.csv", mode=stat.S_IFREG | 0o4777), "1,2\n")
        archive.writestr(entry("lib/stored.bin", method=zipfile.ZIP_STORED), bytes(100))
        for left_out in (".git/config", "lib/.DS_Store", "__MACOSX/main.py", "lib/__pycache__/x.pyc"):
            archive.writestr(left_out, "x")

    target = tmp_path / "target"
    target.mkdir()
    names = unpack(packed(tmp_path, write), target, "deep")
    assert names == ("deep/main.py", "deep/lib/größe.csv", "deep/lib/stored.bin")
    assert (target / "deep/lib/größe.csv").read_text() == "1,2\n"
    assert not (target / "deep/lib/größe.csv").stat().st_mode & 0o7111
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()) == sorted(names)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["../out.txt"], "'../out.txt' cannot be the name of a file"),
        (["lib/../../out.txt"], "cannot be the name of a file"),
        (["/etc/passwd"], "begins with a slash"),
        (["..\\out.txt"], "begins with a dot"),
        (["C:\\out.txt"], "has characters other than"),
        (["a\0b.txt"], "has characters other than"),
        (["\0b.txt"], "has characters other than"),
        (["a//b.txt"], "empty, '.' or '..'"),
        (["scene.py"], "the service's own"),
        (["media/x"], "the service's own"),
        (["random.py"], "would hide the module random"),
        (["a.txt", "a.txt"], "there are two files 'a.txt'"),
        (["a.txt", "A.txt"], "the same name"),
        (["a", "a/b"], "is a file and a folder"),
        ([f"{number}.txt" for number in range(module.MAX_ENTRIES + 1)], "it has 1001 entries"),
    ],
)
def test_names_that_lead_elsewhere(tmp_path: Path, names: list[str], reason: str) -> None:
    def write(archive: zipfile.ZipFile) -> None:
        for name in names:
            info = entry("x")
            info.filename = info.orig_filename = name
            archive.writestr(info, "x")

    target = tmp_path / "target"
    target.mkdir()
    with pytest.warns(UserWarning, match="Duplicate name") if len(set(names)) < len(names) else _nothing():
        path = packed(tmp_path, write)
    with pytest.raises(UnpackError) as refused:
        unpack(path, target)
    assert reason in str(refused.value)
    assert list(target.iterdir()) == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.zip", "target"]


class _nothing:  # noqa: N801
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_what_is_no_plain_file(tmp_path: Path, kind: int) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr(entry("link", mode=kind | 0o777), "/etc/passwd"))
    with pytest.raises(UnpackError, match="'link' is no plain file"):
        unpack(path, tmp_path)
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack(tmp_path: Path, method: int) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr(entry("a.txt", method=method), "x" * 100))
    with pytest.raises(UnpackError, match="neither deflated nor stored"):
        unpack(path, tmp_path)


def test_an_encrypted_entry(tmp_path: Path) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr("a.txt", "x" * 100))
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(UnpackError, match=r"'a.txt' is encrypted"):
        unpack(path, tmp_path)


def test_a_bomb_ends_at_its_bound(tmp_path: Path) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr("zeros.txt", bytes(64 << 20)))
    most = path.stat().st_size * module.MAX_RATIO + module.FREE
    assert most < 64 << 20
    with pytest.raises(UnpackError, match=f"it unpacks to more than {most} bytes"):
        unpack(path, tmp_path)
    assert (tmp_path / "zeros.txt").stat().st_size <= most


def test_many_small_ones_are_counted_together(tmp_path: Path) -> None:
    def write(archive: zipfile.ZipFile) -> None:
        for number in range(100):
            archive.writestr(f"{number}.txt", bytes(1 << 20))

    with pytest.raises(UnpackError, match="it unpacks to more than"):
        unpack(packed(tmp_path, write), tmp_path)


def test_a_length_that_is_a_lie(tmp_path: Path) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr("zeros.txt", bytes(64 << 20)))
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        content[(at := content.index(mark) + offset) : at + 4] = struct.pack("<I", 10)
    path.write_bytes(content)
    with pytest.raises(UnpackError):
        unpack(path, tmp_path)
    assert (tmp_path / "zeros.txt").stat().st_size <= 10


@pytest.mark.parametrize("damage", ["cut", "flipped", "none"])
def test_a_damaged_one(tmp_path: Path, damage: str) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr("a.txt", "some words that can be packed " * 50))
    content = path.read_bytes()
    path.write_bytes(
        {"cut": content[:-30], "flipped": content[:45] + b"\xff\xff\xff" + content[48:], "none": b"PK\3\4 nonsense"}[
            damage
        ]
    )
    with pytest.raises(UnpackError):
        unpack(path, tmp_path)


@pytest.mark.parametrize("offset", [12, 16], ids=["the list is long", "the list is far"])
def test_places_before_the_beginning(tmp_path: Path, offset: int) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr("a.txt", "some words"))
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\5\6") + offset
    content[at : at + 4] = struct.pack("<I", 1 << 30)
    path.write_bytes(content)
    with pytest.raises(UnpackError):
        unpack(path, tmp_path)


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        unpack(packed(tmp_path, lambda archive: archive.writestr("a.txt", "theirs")), tmp_path)
    assert (tmp_path / "a.txt").read_text() == "mine"


def test_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    path.write_bytes(out.getvalue())
    assert unpack(path, tmp_path) == ()
