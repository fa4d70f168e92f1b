"""Videos joined by this machine's executor: confined, from open files, and hostile ones to no harm."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av
import pytest

from manimcast.executors.joining import CannotJoinError, Joiner, Video, VideoKind
from manimcast.spec import Format
from tests.engine.pictures import decoded
from tests.patience import PATIENCE

from .rig import RING, Rig, scene

KIND = VideoKind(Format.mp4, 128, 72, 10, transparent=False)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("joining"))
    yield rig
    rig.close()


def video(content: bytes, frames: int, name: str = "item 0") -> Video:
    async def opened() -> BinaryIO:
        file = tempfile.TemporaryFile()  # noqa: SIM115  whoever joins closes it
        file.write(content)
        file.flush()
        return file

    return Video(len(content), frames, f"Title of {name}", name, opened)


def join(rig: Rig, *videos: Video) -> Path:
    into = rig.root / f"out-{len(list(rig.root.iterdir()))}-joined"
    into.mkdir()
    found: Path = rig.run(rig.executor.join(videos, KIND, into=into, timeout=PATIENCE))
    assert rig.left_over() == []
    return found


def test_scenes_become_one_video(rig: Rig) -> None:
    assert isinstance(rig.executor, Joiner)
    made = [rig.render(scene(body)) for body in (RING, "self.wait(0.5)", f"{RING}\nself.wait(0.3)")]
    videos = [video(one.video.read_bytes(), one.report.frames, f"item {number}") for number, one in enumerate(made)]
    joined = join(rig, *videos)
    found = [plane.tobytes() for _, plane in decoded(joined)]
    assert found == [plane.tobytes() for one in made for _, plane in decoded(one.video)]
    with av.open(joined) as container:
        titles = [chapter["metadata"]["title"] for chapter in container.chapters()]
    assert titles == ["Title of item 0", "Title of item 1", "Title of item 2"]


@pytest.mark.parametrize("harm", ["truncated", "noise", "frames"])
def test_a_hostile_video_fails_the_join_and_nothing_else(rig: Rig, harm: str) -> None:
    made = rig.render(scene(RING))
    content, frames = made.video.read_bytes(), made.report.frames
    bad = {
        "truncated": video(content[:-700], frames, "item 1"),
        "noise": video(bytes(range(256)) * 40, frames, "item 1"),
        "frames": video(content, frames + 1, "item 1"),
    }[harm]
    with pytest.raises(CannotJoinError, match="item 1"):
        join(rig, video(content, frames), bad, video(content, frames, "item 2"))
    assert len(decoded(join(rig, video(content, frames), video(content, frames)))) == 2 * frames


FAULTS = [
    FileNotFoundError("it was deleted"),
    TimeoutError("the storage is slow"),
    ConnectionResetError("the storage broke off"),
]


@pytest.mark.parametrize("error", FAULTS, ids=repr)
def test_what_cannot_be_opened_is_told_as_it_is(rig: Rig, error: OSError) -> None:
    async def gone() -> BinaryIO:
        raise error

    with pytest.raises(type(error), match=str(error)):
        join(rig, Video(5, 1, "A", "item 0", gone))


def test_more_than_fits_is_not_begun(rig: Rig) -> None:
    async def never() -> BinaryIO:
        raise AssertionError("it was opened")

    with pytest.raises(CannotJoinError, match="at most"):
        join(rig, Video(1 << 40, 1, "A", "item 0", never))
