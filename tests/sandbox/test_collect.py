"""Only plain files come out of a directory that untrusted code wrote to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from manimcast.sandbox.host import collect
from manimcast.sandbox.host.collect import CollectError, take

LIMIT = 1000


@pytest.fixture(autouse=True, params=["openat2", "a kernel without openat2"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "openat2":
        monkeypatch.setattr(collect, "_SYS_OPENAT2", 99_999)  # a number that no kernel knows


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    (tmp_path / "secret").write_text("the host's")
    return folder


@pytest.fixture
def descriptor(job: Path) -> Iterator[int]:
    number = os.open(job, os.O_RDONLY | os.O_DIRECTORY)
    yield number
    os.close(number)


def test_a_plain_file_is_copied(job: Path, descriptor: int, tmp_path: Path) -> None:
    (job / "video.mp4").write_bytes(b"x" * LIMIT)
    assert take(descriptor, "video.mp4", tmp_path / "out", limit=LIMIT) == LIMIT
    assert (tmp_path / "out").read_bytes() == b"x" * LIMIT


def test_an_empty_file_is_copied(job: Path, descriptor: int, tmp_path: Path) -> None:
    (job / "empty").touch()
    assert take(descriptor, "empty", tmp_path / "out", limit=LIMIT) == 0


@pytest.mark.parametrize(
    "kind",
    ["symbolic link", "link in the path", "hard link", "fifo", "folder", "socket-like", "too large", "missing"],
)
def test_what_is_not_a_plain_file_is_refused(kind: str, job: Path, descriptor: int, tmp_path: Path) -> None:
    secret, name = tmp_path / "secret", "file"
    match kind:
        case "symbolic link":
            (job / "file").symlink_to(secret)
        case "link in the path":
            (job / "folder").symlink_to(tmp_path)
            name = "folder/secret"
        case "hard link":
            os.link(secret, job / "file")
        case "fifo":
            os.mkfifo(job / "file")
        case "folder":
            (job / "file").mkdir()
        case "socket-like":
            (job / "file").symlink_to("/dev/zero")
        case "too large":
            (job / "file").write_bytes(b"x" * (LIMIT + 1))
    with pytest.raises(CollectError):
        take(descriptor, name, tmp_path / "out", limit=LIMIT)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", ".", "", "a/../../secret"])
def test_names_that_lead_out_are_refused(name: str, job: Path, descriptor: int, tmp_path: Path) -> None:
    (job / "a").mkdir()
    with pytest.raises(CollectError):
        take(descriptor, name, tmp_path / "out", limit=LIMIT)


def test_magic_links_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w+") as secret:
        secret.write("the host's")
        secret.flush()
        descriptor = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
        try:
            with pytest.raises(CollectError):
                take(descriptor, str(secret.fileno()), tmp_path / "out", limit=LIMIT)
        finally:
            os.close(descriptor)


def test_an_existing_target_is_not_overwritten(job: Path, descriptor: int, tmp_path: Path) -> None:
    (job / "video.mp4").write_bytes(b"new")
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        take(descriptor, "video.mp4", tmp_path / "out", limit=LIMIT)
    assert (tmp_path / "out").read_bytes() == b"old"


def test_a_file_longer_than_one_copy_is_copied_whole(job: Path, descriptor: int, tmp_path: Path) -> None:
    content = os.urandom(1 << 10) * (1 << 14) + b"the end"
    (job / "video.mp4").write_bytes(content)
    assert take(descriptor, "video.mp4", tmp_path / "out", limit=1 << 25) == len(content)
    assert (tmp_path / "out").read_bytes() == content


def test_a_file_that_grows_meanwhile_is_not_followed(
    job: Path, descriptor: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = job / "video.mp4"
    path.write_bytes(b"x" * 50)
    copy = os.copy_file_range

    def grow_then_copy(source: int, target: int, count: int) -> int:
        path.write_bytes(b"y" * 5000)
        return copy(source, target, count)

    monkeypatch.setattr(os, "copy_file_range", grow_then_copy)
    assert take(descriptor, "video.mp4", tmp_path / "out", limit=LIMIT) == 50
    assert (tmp_path / "out").stat().st_size == 50


def test_a_file_is_read_within_its_limit(job: Path, descriptor: int) -> None:
    (job / "folder").mkdir()
    (job / "folder" / "segment").write_bytes(b"x" * LIMIT)
    assert collect.read(descriptor, "folder/segment", limit=LIMIT) == b"x" * LIMIT
    with pytest.raises(CollectError, match="at most"):
        collect.read(descriptor, "folder/segment", limit=LIMIT - 1)


def test_an_empty_file_that_is_there_is_filled(job: Path, descriptor: int) -> None:
    (job / "folder").mkdir()
    (job / "folder" / "place").touch()
    collect.fill(descriptor, "folder/place", b"x" * LIMIT)
    assert (job / "folder" / "place").read_bytes() == b"x" * LIMIT


@pytest.mark.parametrize(
    "kind", ["link", "link in the path", "above", "hard link", "pipe", "folder", "full", "missing"]
)
def test_nothing_but_an_empty_file_is_filled(kind: str, job: Path, descriptor: int, tmp_path: Path) -> None:
    secret, name = tmp_path / "secret", "place"
    match kind:
        case "link":
            (job / "place").symlink_to(secret)
        case "link in the path":
            (job / "folder").symlink_to(tmp_path)
            name = "folder/secret"
        case "above":
            name = "../secret"
        case "hard link":
            secret.write_text("")
            (job / "place").hardlink_to(secret)
        case "pipe":
            os.mkfifo(job / "place")
        case "folder":
            (job / "place").mkdir()
        case "full":
            (job / "place").write_text("mine")
    before = secret.read_text()
    with pytest.raises(CollectError):
        collect.fill(descriptor, name, b"overwritten")
    assert secret.read_text() == before
