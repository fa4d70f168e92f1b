from __future__ import annotations

import os
from pathlib import Path

import pytest

from manimcast.cli.output import Destination, OutputError
from manimcast.spec import Format, OutputFile, OutputRole
from tests.cli.reports import report


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.mark.parametrize(
    ("out", "several", "lies_at"),
    [
        (None, False, "Ring.mp4"),
        ("film.mp4", False, "film.mp4"),
        ("film", False, "film.mp4"),
        ("films/", False, "films/Ring.mp4"),
        ("films/a/", True, "films/a/Ring.mp4"),
        ("films", True, "films/Ring.mp4"),
        ("films/film.mp4", False, "films/film.mp4"),
    ],
)
def test_the_video_goes_where_it_was_asked_for(made: Path, out: str | None, several: bool, lies_at: str) -> None:
    destination = Destination.of(out, several=several)
    destination.prepare()
    saved = destination.save(report(made), made)
    assert saved.video == Path(lies_at)
    assert saved.video.read_text() == "video.mp4"
    assert not saved.replaced
    assert [path.name for path in saved.video.parent.iterdir()] == [saved.video.name]


def test_an_existing_folder_is_one_without_a_slash(made: Path) -> None:
    Path("films").mkdir()
    assert Destination.of("films", several=False).save(report(made), made).video == Path("films/Ring.mp4")


def test_a_file_of_that_name_is_replaced_and_said_so(made: Path) -> None:
    Path("Ring.mp4").write_text("old")
    saved = Destination.of(None, several=False).save(report(made), made)
    assert saved.replaced
    assert Path("Ring.mp4").read_text() == "video.mp4"


def test_new_files_have_the_usual_permissions(made: Path) -> None:
    saved = Destination.of(None, several=False).save(report(made), made)
    mask = os.umask(0)
    os.umask(mask)
    assert saved.video.stat().st_mode & 0o777 == 0o666 & ~mask


def test_subtitles_and_sections_lie_beside_the_video(made: Path) -> None:
    extra = (
        OutputFile(role=OutputRole.subtitles, name="subtitles.vtt", bytes=1),
        OutputFile(role=OutputRole.section, name="section-000.mp4", bytes=1),
        OutputFile(role=OutputRole.poster, name="poster.png", bytes=1),
    )
    saved = Destination.of("film.mp4", several=False).save(report(made, extra=extra), made)
    assert saved.subtitles == Path("film.vtt")
    assert saved.sections == (Path("film-sections/section-000.mp4"),)
    assert sorted(str(path) for path in Path().rglob("*.*")) == [
        "film-sections/section-000.mp4",
        "film.mp4",
        "film.vtt",
    ]


def test_a_scene_name_that_is_a_path_leads_nowhere(made: Path) -> None:
    saved = Destination.of(None, several=False).save(report(made, scene="../../stolen"), made)
    assert saved.video == Path("scene.mp4")


@pytest.mark.parametrize(
    ("out", "wanted", "transparent", "expected"),
    [
        (None, None, False, Format.mp4),
        (None, None, True, Format.mov),
        ("film.GIF", None, False, Format.gif),
        ("film.webm", "webm", True, Format.webm),
        ("film", "png", False, Format.png),
    ],
)
def test_the_format_follows_the_wish_then_the_name(
    out: str | None, wanted: str | None, transparent: bool, expected: Format
) -> None:
    assert Destination.of(out, several=False).format(wanted, transparent=transparent) is expected


@pytest.mark.parametrize(
    ("out", "wanted", "message"),
    [("film.avi", None, r"\.avi is none of mp4, webm"), ("film.mp4", "gif", "ends in .mp4, but the format asked for")],
)
def test_names_that_contradict_the_format_are_refused(out: str, wanted: str | None, message: str) -> None:
    with pytest.raises(OutputError, match=message):
        Destination.of(out, several=False).format(wanted, transparent=False)


def test_several_scenes_do_not_go_to_one_file() -> None:
    with pytest.raises(OutputError, match="several scenes: give a folder"):
        Destination.of("film.mp4", several=True)


def test_devices_and_the_like_are_never_replaced() -> None:
    with pytest.raises(OutputError, match="not a regular file"):
        Destination.of("/dev/null", several=False)


def test_a_folder_that_cannot_be_made_is_told_before_rendering() -> None:
    Path("file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        Destination.of("file/below/film.mp4", several=False).prepare()
