from __future__ import annotations

import re

import pytest

from .pages import PAGES, ROOT, anchors, links, name, prose, read

ELSEWHERE = re.compile(r"^(https?|mailto):")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    broken = []
    for target in links(read(page)):
        if ELSEWHERE.match(target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(read(file))):
            broken.append(target)

    assert not broken


def test_every_page_can_be_reached_from_the_readme():
    seen, pending = set(), [ROOT / "README.md"]
    while pending:
        page = pending.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = [target.partition("#")[0] for target in links(read(page)) if not ELSEWHERE.match(target)]
        pending.extend((page.parent / target).resolve() for target in targets if target)

    assert not sorted(name(page) for page in set(PAGES) - seen)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_has_one_title_and_says_something(page):
    text = prose(read(page))

    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert len(text.split()) > 40


def test_decisions_are_numbered_without_gaps_and_told_alike():
    records = sorted(page for page in PAGES if page.parent.name == "decisions" and page.name[0].isdigit())

    assert [int(page.name[:4]) for page in records] == list(range(1, len(records) + 1))
    for page in records:
        text = read(page)
        assert text.startswith(f"# {int(page.name[:4])}. ")
        assert [line for line in text.splitlines() if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ]


def test_the_glossary_is_in_alphabetical_order():
    page = next(page for page in PAGES if page.name == "glossary.md")
    words = [line.split("|")[1].strip().lower() for line in read(page).splitlines() if line.startswith("| ")][1:]

    assert words == sorted(words)
    assert len(words) == len(set(words)) > 30
