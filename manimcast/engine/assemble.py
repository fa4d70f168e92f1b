"""From what Manim wrote to the finished files: an index in front, a poster, subtitles, sections."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import av
from manim.scene.scene_file_writer import SceneFileWriter
from PIL import Image

from manimcast.engine.poster import Poster
from manimcast.engine.track import Tracker
from manimcast.spec import Format, OutputFile, OutputRole, Section

POSTER_SIDE = 1280
"""Longest side of a poster in pixels."""


def assemble(
    writer: SceneFileWriter, tracker: Tracker, poster: Poster, directory: Path, format_: Format, *, frame_rate: float
) -> tuple[list[OutputFile], list[Section]]:
    """Put the finished files into ``directory`` and return what they are.

    Raises :class:`FileNotFoundError` when Manim's own result is not where it should be.
    """
    source = Path(writer.final_file_path)
    video = directory / f"video.{format_.value}"
    _place(source, video, format_)
    files = [_listed(OutputRole.video, video)]
    pixels = poster.pixels() if format_ is not Format.png else None
    if pixels is not None:
        picture = Image.fromarray(pixels).convert("RGB")
        picture.thumbnail((POSTER_SIDE, POSTER_SIDE))
        picture.save(directory / "poster.jpg", quality=88)
        files.append(_listed(OutputRole.poster, directory / "poster.jpg"))
    subtitles = writer.output_plan.subcaption_file
    if writer.subcaptions and subtitles is not None and subtitles.exists():
        text = subtitles.read_text(encoding="utf-8")
        for name, content in (("subtitles.vtt", to_web_vtt(text)), ("subtitles.srt", text)):
            (directory / name).write_text(content, encoding="utf-8")
            files.append(_listed(OutputRole.subtitles, directory / name))
    sections, section_files = _sections(writer, tracker, directory, format_, frame_rate)
    return files + section_files, sections


def _listed(role: OutputRole, path: Path) -> OutputFile:
    return OutputFile(role=role, name=path.name, bytes=path.stat().st_size)


def _place(source: Path, target: Path, format_: Format) -> None:
    if format_ in {Format.mp4, Format.mov} and not index_is_first(source):
        put_index_first(source, target)  # Manim has put sound beside the video
    else:
        shutil.move(source, target)  # Landlock's first version lets no file be renamed into another folder


def index_is_first(path: Path) -> bool:
    """Return whether an MP4 or QuickTime file has its index before its data."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind in {b"moov", b"mdat"} or size < 8:  # 0 and 1 are for boxes beyond 4 GiB
                return kind == b"moov"
            file.seek(size - 8, 1)
    return False


def put_index_first(source: Path, target: Path) -> None:
    """Copy an MP4 or QuickTime file packet by packet, with its index before its data.

    A browser can then play it while it loads. Nothing is encoded again.
    """
    with av.open(source) as reader, av.open(target, "w", options={"movflags": "+faststart"}) as writer:
        writer.metadata.update(reader.metadata)
        streams = {
            stream.index: writer.add_stream_from_template(stream)
            for stream in reader.streams
            if stream.type in {"video", "audio"}
        }
        for packet in reader.demux(*(reader.streams[index] for index in streams)):
            if packet.dts is None:  # demux flushes with empty packets
                continue
            packet.stream = streams[packet.stream_index]
            writer.mux(packet)


def to_web_vtt(srt: str) -> str:
    """Return SubRip text as WebVTT, which browsers read."""
    return "WEBVTT\n\n" + re.sub(r"(\d\d:\d\d:\d\d),(\d{3})", r"\1.\2", srt)


def _sections(
    writer: SceneFileWriter, tracker: Tracker, directory: Path, format_: Format, frame_rate: float
) -> tuple[list[Section], list[OutputFile]]:
    """Return the sections with their times, and their files when sections are saved.

    A scene that never calls ``next_section`` has none. Manim keeps a section's file by the order of its own list.
    """
    marks = [mark for mark in tracker.sections if mark.first_frame < tracker.frames]
    if len(marks) <= 1 and all(mark.name == "autocreated" for mark in marks):
        return [], []
    paths = []
    if writer.output_spec.save_sections:
        kept = [section for section in writer.sections if section.video and section.get_clean_partial_movie_files()]
        paths = [writer.sections_output_dir / str(section.video) for section in kept]
    sections: list[Section] = []
    files: list[OutputFile] = []
    ends = [mark.first_frame for mark in marks[1:]] + [tracker.frames]
    for index, (mark, end) in enumerate(zip(marks, ends, strict=True)):
        name = None
        if index < len(paths):
            name = f"section-{index:03}.{format_.value}"
            _place(paths[index], directory / name, format_)
            files.append(_listed(OutputRole.section, directory / name))
        sections.append(
            Section(
                name=mark.name,
                type=mark.type,
                start=mark.first_frame / frame_rate,
                duration=(end - mark.first_frame) / frame_rate,
                file=name,
            )
        )
    return sections, files
