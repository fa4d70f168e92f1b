from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, anchors, code, links, name, pages


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken, f"{name(page)} links to what is not there: {broken}"


def test_every_page_can_be_found_from_the_index() -> None:
    found = set()
    for index in (ROOT / "README.md", DOCS / "README.md"):
        found |= {(index.parent / link.partition("#")[0]).resolve() for link in links(index) if "://" not in link}
    lost = [name(page) for page in sorted(DOCS.rglob("*.md")) if page not in found and page != DOCS / "README.md"]
    assert not lost, f"docs/README.md should link to {lost}"


def test_pages_that_messages_name_are_there() -> None:
    sources = [ROOT / "dev", *(ROOT / "manimcast").rglob("*.py")]
    named = {page for path in sources for page in re.findall(r"docs/[\w/-]+\.md", path.read_text(encoding="utf-8"))}
    assert "docs/how-to/write-scenes-for-the-service.md" in named
    assert not [page for page in sorted(named) if not (ROOT / page).exists()]


def test_pictures_are_small_and_used() -> None:
    used = {(page.parent / link).resolve() for page in pages() for link in links(page)}
    for picture in sorted((DOCS / "images").iterdir()):
        assert picture.stat().st_size < 200_000, f"{name(picture)} is too large for a page"
        assert picture in used, f"{name(picture)} is on no page"


@pytest.mark.parametrize("page", pages(), ids=name)
def test_python_on_the_pages_parses(page: Path) -> None:
    for block in code(page, "python"):
        compile(block, name(page), "exec")
