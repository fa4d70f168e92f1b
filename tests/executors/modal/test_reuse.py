"""Kept animations of renders in containers, with the app as it is: sent along, used there, and brought back."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

from manimcast.executors.modal.executor import ModalExecutor
from manimcast.executors.modal.protocol import versions_in
from manimcast.executors.segments import Reuse
from manimcast.spec import RenderSpec
from tests.executors.modal.deployed import app, started
from tests.executors.rig import SMALL, Outcome
from tests.executors.test_segments import LAST, PLAYS, code, frames, reused
from tests.modal_plane.running import RunningPlane
from tests.patience import PATIENCE, eventually

__all__ = ["app"]

EDITED = code(*PLAYS[:3], "self.wait(0.2)", *PLAYS[3:], LAST)


async def render(executor: ModalExecutor, source: str, reuse: Reuse | None = None, **spec: object) -> Outcome:
    folder = executor._settings.data_dir / f"out-{len(list(executor._settings.data_dir.glob('out-*')))}"
    folder.mkdir(parents=True)
    outcome = Outcome(folder)
    wanted = RenderSpec.model_validate({"code": source, **SMALL, **spec})
    stream = executor.render(wanted, render_id=folder.name, into=folder, timeout=PATIENCE, reuse=reuse)
    async with aclosing(stream):
        outcome.messages += [message async for message in stream]
    return outcome


async def known(executor: ModalExecutor) -> None:
    """Wait until it is known what containers are; what was kept before goes along from then on."""
    await eventually(executor.versions, "what a container says of itself")


def test_after_an_edit_only_what_changed_is_drawn(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def run() -> None:
        async with started(modal_plane, data_dir=tmp_path) as executor:
            mine = Reuse("t")
            first = await render(executor, code(), mine)
            assert reused(first) == (0, 6)
            edited = await render(executor, EDITED, mine)
            assert reused(edited) == (6, 7)
            plain = await render(executor, EDITED)
            assert reused(plain) == (0, 7)
            assert frames(edited) == frames(plain)
            assert edited.report.frames == plain.report.frames
            assert reused(await render(executor, code(), mine)) == (6, 6)  # the edit is taken back
            # Nobody else has them, nor who does not look, nor another encoding.
            assert reused(await render(executor, EDITED, Reuse("other", keep=False))) == (0, 7)
            assert reused(await render(executor, EDITED, Reuse("t", look=False))) == (0, 7)
            assert reused(await render(executor, EDITED, mine, frame_rate=12)) == (0, 7)
        async with started(modal_plane, data_dir=tmp_path) as later:
            await known(later)
            assert reused(await render(later, EDITED, mine)) == (7, 7)

    asyncio.run(run())


def test_what_a_failing_scene_has_drawn_is_not_drawn_again(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def run() -> None:
        async with started(modal_plane, data_dir=tmp_path) as executor:
            wrong = await render(executor, code(*PLAYS, "raise ValueError('a slip')", LAST), Reuse("t"))
            assert wrong.error.exception == "ValueError"
            mended = await render(executor, code(), Reuse("t"))
            assert reused(mended) == (5, 6)
            # One that fails sooner than it did before leaves the rest for when it is mended.
            sooner = await render(executor, code(PLAYS[0], "raise ValueError", *PLAYS[1:], LAST), Reuse("t"))
            assert sooner.error.exception == "ValueError"
            assert reused(await render(executor, code(), Reuse("t"))) == (6, 6)

    asyncio.run(run())


def test_two_scenes_of_one_name_do_not_disturb_each_other(modal_plane: RunningPlane, tmp_path: Path) -> None:
    other = "\n".join(f"self.play(FadeIn(Text('{word}')), run_time=0.2)" for word in ("one", "two", "three"))
    other = f"class Demo(Scene):\n    def construct(self):\n        {other.replace(chr(10), chr(10) + ' ' * 8)}\n"

    async def run() -> None:
        async with started(modal_plane, data_dir=tmp_path) as executor:
            mine = Reuse("t")
            assert reused(await render(executor, code(), mine)) == (0, 6)
            assert reused(await render(executor, other, mine)) == (0, 3)
            assert reused(await render(executor, EDITED, mine)) == (6, 7)
            assert reused(await render(executor, other, mine)) == (3, 3)

    asyncio.run(run())


def test_what_a_container_makes_is_kept_as_of_its_version(modal_plane: RunningPlane, tmp_path: Path) -> None:
    """The app was deployed anew, and the service knows only of the one before."""

    async def run() -> None:
        async with started(modal_plane, data_dir=tmp_path) as executor:
            await known(executor)
            facts = dict(executor._health.facts)
            executor._health.facts = facts | {"manim": "0.21.0"}
            assert reused(await render(executor, code(), Reuse("t"))) == (0, 6)
            assert versions_in(executor._health.facts) == versions_in(facts)
            executor._health.facts = facts | {"manim": "0.21.0"}
            assert reused(await render(executor, code(), Reuse("t"))) == (0, 6)
            assert reused(await render(executor, code(), Reuse("t"))) == (6, 6)

    asyncio.run(run())


def test_an_operator_may_do_without(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def run() -> None:
        for nothing in ({"modal_segments_mib": 0}, {"segment_cache_mib": 0}):
            async with started(modal_plane, data_dir=tmp_path, **nothing) as executor:
                for _ in range(2):
                    assert reused(await render(executor, code(), Reuse("t"))) == (0, 6)
        assert not (tmp_path / "cache").exists()

    asyncio.run(run())
