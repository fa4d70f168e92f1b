"""Every attack of the corpus, on a service in its full sandbox; and without one, to see that the attacks are real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.attack import Attack, load_all
from tests.attacks.range import Range, shooting_range

ATTACKS = load_all()


@pytest.fixture(scope="module")
def confined() -> Iterator[Range]:
    """A service as it is by default."""
    with shooting_range(sandbox="strict") as field:
        yield field


@pytest.fixture(scope="module")
def bare() -> Iterator[Range]:
    """A service without a sandbox."""
    with shooting_range(sandbox="off") as field:
        yield field


def test_there_are_many_attacks_in_every_area() -> None:
    areas = {attack.name.partition("/")[0] for attack in ATTACKS}
    assert len(ATTACKS) >= 200
    assert areas >= {"assets", "collusion", "files", "kernel", "lies", "media", "namespaces", "network", "processes"}
    assert areas >= {"requests", "resources", "secrets", "tex"}


def test_the_sandbox_is_whole(confined: Range) -> None:
    assert confined.tier == "full"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_nothing_comes_of(attack: Attack, confined: Range) -> None:
    if missing := attack.missing():
        pytest.skip(missing)
    result = confined.run(attack)
    if result.damage:
        confined.renew()
    assert result.safe, str(result)


@pytest.mark.full
@pytest.mark.parametrize("attack", [one for one in ATTACKS if not one.dangerous], ids=lambda attack: attack.name)
def test_without_a_sandbox_it_is_as_it_says(attack: Attack, bare: Range) -> None:
    if missing := attack.missing():
        pytest.skip(missing)
    result = bare.run(attack)
    if result.damage:
        bare.renew()
    assert result.proven, str(result)
