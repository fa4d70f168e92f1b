"""The fuzzer: scenes that it composes come out the same, and when one does not, it finds the statement that is why."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

import pytest

from tests.conformance.fuzz.campaign import Campaign, Verdict
from tests.conformance.fuzz.compose import compose
from tests.conformance.fuzz.program import Program, Statement
from tests.conformance.fuzz.shrink import shrink

FEW, MANY = range(1, 13), range(1000, 1200)


@pytest.fixture(scope="module")
def campaign() -> Iterator[Campaign]:
    with Campaign() as both:
        yield both


@pytest.mark.parametrize("seed", [*FEW, *(pytest.param(seed, marks=pytest.mark.full) for seed in MANY)])
def test_a_composed_scene_is_drawn_as_stock_manim_draws_it(seed: int, campaign: Campaign) -> None:
    program = compose(seed)
    finding = campaign.judge(program)
    smaller = f"`python -m tests.conformance.fuzz --scenes 1 --seed {seed}` makes it smaller"
    assert finding.verdict is not Verdict.different, f"{finding.detail}\n{smaller}\n{program.source}"
    if seed in FEW:  # chosen so that they say something; among all seeds a few raise errors
        assert finding.verdict is Verdict.equal


def test_a_seed_is_always_the_same_scene_and_another_is_another() -> None:
    sources = [compose(seed).source for seed in range(300)]
    assert sources == [compose(seed).source for seed in range(300)]
    assert len(set(sources)) == 300
    for source in sources:
        ast.parse(source)


def test_a_scene_that_only_the_engine_draws_otherwise_is_found_and_made_small(campaign: Campaign) -> None:
    lie = 'self.add(Square(fill_opacity=1 if "manimcast.engine.render" in __import__("sys").modules else 0.5))'
    composed = compose(1)
    told = Program("Scene", (*composed.statements[:4], Statement(lie), Statement("self.wait(0.2)")))
    assert campaign.judge(told).verdict is Verdict.different
    small = shrink(told, campaign.differs)
    assert [statement.source for statement in small.statements] == [lie]


def test_a_scene_that_stock_manim_draws_otherwise_each_time_is_no_difference(campaign: Campaign) -> None:
    # Many squares: one looks the same twice about every now and then.
    random = Statement("self.add(*(Square(side / 80) for side in __import__('os').urandom(20)))")
    finding = campaign.judge(Program("Scene", (random, Statement("self.wait(0.2)"))))
    assert finding.verdict is Verdict.unsteady


def test_an_error_on_both_sides_is_no_difference_and_on_one_it_is(campaign: Campaign) -> None:
    assert campaign.judge(Program("Scene", (Statement("1 / 0"),))).verdict is Verdict.refused
    one_sided = Statement('"manimcast.engine.render" in __import__("sys").modules or 1 / 0')
    finding = campaign.judge(Program("Scene", (one_sided, Statement("self.wait(0.2)"))))
    assert finding.verdict is Verdict.different
    assert "only stock Manim raises" in finding.detail


def test_leaving_out_a_statement_leaves_out_what_needs_it() -> None:
    program = Program(
        "Scene",
        (
            Statement("shape_1 = Square()"),
            Statement("shape_2 = Circle()"),
            Statement("group_1 = VGroup(shape_1)"),
            Statement("self.add(group_1)"),
            Statement("self.play({parts})", ("Create(shape_2)", "Wait()")),
        ),
    )
    left = program.without([0])
    assert [statement.source for statement in left.statements] == [
        "shape_2 = Circle()",
        "self.play(Create(shape_2), Wait())",
    ]
    assert left.without_part(1, 0).statements[1].source == "self.play(Wait())"


def test_shrinking_keeps_what_is_asked_for_and_stops_in_time() -> None:
    program = Program("Scene", tuple(Statement(f"print({number})") for number in range(40)))
    asked = itertools.count()

    def differs(candidate: Program) -> bool:
        next(asked)
        return {"print(3)", "print(29)"} <= {statement.source for statement in candidate.statements}

    small = shrink(program, differs)
    assert [statement.source for statement in small.statements] == ["print(3)", "print(29)"]
    assert next(asked) <= 150
    assert len(shrink(program, differs, tries=3).statements) > 2
