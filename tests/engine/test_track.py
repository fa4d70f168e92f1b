"""What is told of a render, and when."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child


def test_the_first_frames_of_all_are_told_at_once(tmp_path: Path) -> None:
    told = in_child(
        tmp_path,
        """
        import time
        time.monotonic = lambda: 1000.0  # no time passes
        said = []
        tracker = track.Tracker(said.append, LIMITS, frame_rate=10)
        for drawn in (10, 10):
            index = tracker.begin_play("play", 1.0, drawn=True)
            tracker.plan(10)
            for _ in range(drawn):
                tracker.drawn(index, 1)
            tracker.end_play()
        answer([
            [message.progress.animation_index, message.progress.animation_percent]
            for message in said if message.type == "progress"
        ])
        """,
    )
    assert told == [[0, 0], [0, 10], [0, 100], [1, 0], [1, 100]]


def test_a_play_is_over_when_it_and_all_before_it_are_drawn_to_the_end(tmp_path: Path) -> None:
    told = in_child(
        tmp_path,
        """
        said = []
        tracker = track.Tracker(said.append, LIMITS, frame_rate=10)
        first = tracker.begin_play("first", 2.0, drawn=True)
        tracker.plan(20)
        tracker.end_play()
        tracker.begin_play("left out", 1.0, drawn=False)
        tracker.end_play()
        last = tracker.begin_play("last", None, drawn=True)
        tracker.plan(5)
        tracker.end_play()
        tracker.drawn(last, 5)
        before = len(said)
        tracker.drawn(first, 20)
        told = tracker.told()
        over = [[m.index, m.kind, m.frames, m.duration] for m in said if m.type == "played"]
        early = [m for m in said[:before] if m.type == "played"]

        again = []
        tracker = track.Tracker(again.append, LIMITS, frame_rate=10)
        tracker.resume(told)  # another process says the same, to the same listener
        for frames in (20, 5, 5, 10):
            index = tracker.begin_play("again", 1.0, drawn=True)
            tracker.plan(frames)
            tracker.end_play()
            tracker.drawn(index, frames)
        answer([len(early), over, [m.index for m in again if m.type == "played"]])
        """,
    )
    assert told == [0, [[0, "first", 20, 2.0], [1, "left out", 0, 0.0], [2, "last", 5, 0.5]], [3]]
