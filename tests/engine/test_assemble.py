"""Finished files, made of what Manim wrote."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child


def test_srt_becomes_web_vtt(tmp_path: Path) -> None:
    srt = "1\n00:00:00,500 --> 01:00:01,250\nOne, 2,500 and 3\n"
    told = in_child(tmp_path, f"from manimcast.engine.assemble import to_web_vtt\nanswer(to_web_vtt({srt!r}))")
    assert told == "WEBVTT\n\n1\n00:00:00.500 --> 01:00:01.250\nOne, 2,500 and 3\n"


def test_an_index_that_is_first_is_seen_and_one_that_is_not_is_put_there(tmp_path: Path) -> None:
    told = in_child(
        tmp_path,
        """
        import av
        import numpy as np
        from manimcast.engine.assemble import index_is_first, put_index_first

        with av.open("last.mp4", "w") as output:
            stream = output.add_stream("libx264", rate=30)
            stream.pix_fmt, stream.width, stream.height = "yuv420p", 64, 64
            for _ in range(3):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
            output.mux(stream.encode())
        put_index_first(Path("last.mp4"), Path("first.mp4"))
        Path("short.mp4").write_bytes(b"mdat")
        answer([index_is_first(Path(name)) for name in ("last.mp4", "first.mp4", "short.mp4")])
        """,
    )
    assert told == [False, True, False]
