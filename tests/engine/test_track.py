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
