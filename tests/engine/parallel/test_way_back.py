"""What must have ended before the copy of a render goes on."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child


def test_nothing_is_written_any_more_when_the_copy_goes_on(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
        import threading
        from manimcast.engine.behind import Behind
        from manimcast.engine.parallel.drawers import Drawers
        from manimcast.engine.parallel.way_back import WayBack
        way_back = WayBack(Drawers(2), track.Tracker(lambda message: None, LIMITS, frame_rate=10), None)
        if way_back.is_open():
            behind, wanted = Behind(), threading.Event()
            behind.put(wanted.wait)
            behind.put(lambda: Path("written").touch())
            threading.Timer(0.2, wanted.set).start()
            way_back.take("it must be drawn again")
        answer([way_back.alone, Path("written").exists()])
        """,
    )
    assert found == ["it must be drawn again", True]
