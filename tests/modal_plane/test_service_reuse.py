"""A render on Modal after an edit, through the service: what did not change is not drawn, and the render says so."""

from __future__ import annotations

from pathlib import Path

from tests.modal_plane.running import RunningPlane
from tests.modal_plane.service import deploy, service

PLAYS = 41


def code(*, changed: range = range(0)) -> str:
    """Return a scene of many plays, of which some show another colour; what they show is gone when they end."""
    plays = []
    for number in range(PLAYS):
        color = "RED" if number in changed else "BLUE"
        plays += [f"d = Circle(0.1 + {number} / 20, color={color})", "self.play(Create(d), run_time=0.2)"]
        plays.append("self.remove(d)")
    return "class Demo(Scene):\n    def construct(self):\n" + "".join(f"        {line}\n" for line in plays)


def test_only_what_changed_is_drawn(modal_plane: RunningPlane, tmp_path: Path) -> None:
    deploy(modal_plane, modal_memory=1536)
    with service(modal_plane, tmp_path / "service") as running:
        running.until_modal()
        first = running.until(running.submit(code()))
        assert first["cache"] == {"hit": "none", "animations_reused": 0, "animations_rendered": PLAYS}
        edited = running.until(running.submit(code(changed=range(20, 23))))
        assert edited["executor"] == "modal"
        assert edited["cache"] == {"hit": "segments", "animations_reused": PLAYS - 3, "animations_rendered": 3}
        assert edited["result"]["frames"] == first["result"]["frames"]
        for off in ({"cache": "off"}, {"cache": "refresh"}):
            again = running.until(running.submit(code(changed=range(5)), **off))
            assert again["cache"]["hit"] == "none"
