"""docs/how-to/resources-with-curl.md: its requests, sent to a real service, are answered as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.transcripts import EXPIRING, PAGE, STEP, answers, differences, sections, shape

SECTIONS = {heading: text for heading, text in sections(PAGE.read_text(encoding="utf-8")) if STEP.search(text)}


def test_the_page_has_what_is_looked_for() -> None:
    assert len(SECTIONS) > 5
    assert EXPIRING in SECTIONS


@pytest.mark.parametrize("heading", SECTIONS)
def test_answers_have_the_shape_that_the_page_shows(tmp_path: Path, heading: str) -> None:
    told = [step["answer"] or "" for step in STEP.finditer(SECTIONS[heading])]
    found = answers(SECTIONS[heading], tmp_path, expiring=heading == EXPIRING)
    wrong = [
        difference
        for number, pair in enumerate(zip(told, found, strict=True))
        for difference in differences(*map(shape, pair), f"step {number}")
    ]
    assert not wrong, "\n".join([*wrong, "python -m tests.docs.transcripts writes the page anew"])
