"""The page of attacks names every one, and none that is not there."""

from __future__ import annotations

from tests.attacks.attack import load_all
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "internals" / "attacks.md"


def test_the_page_lists_the_corpus() -> None:
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    listed = {row[0].removeprefix("| "): row[1] for row in rows[1:]}
    remedy = "run python -m tests.attacks, and put its table there"
    assert listed == {attack.name: attack.summary.replace("|", "\\|") for attack in load_all()}, remedy
    assert not [row[0] for row in rows[1:] if row[3].startswith(("escaped", "broken", "internal"))]
