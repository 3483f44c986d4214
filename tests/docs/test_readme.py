"""The README keeps the shape that others rely on."""

from __future__ import annotations

import re
import shlex

import pytest

from .pages import README, ROOT, fences, prose, read, section

TEXT = read(README)


@pytest.mark.parametrize("heading", ["Run it", "Test it"])
def test_a_contract_heading_holds_one_block_of_one_line(heading):
    assert TEXT.splitlines().count(f"## {heading}") == 1
    blocks = fences(section(TEXT, heading))

    assert [block.language for block in blocks] == ["sh"]
    assert len(blocks[0].text.strip().splitlines()) == 1


def test_run_it_installs_and_runs_the_demo():
    install, run = fences(section(TEXT, "Run it"))[0].text.strip().split(" && ")

    assert shlex.split(install) == ["pip", "install", "."]
    assert shlex.split(run)[:2] == ["medcam", "demo"]


def test_test_it_installs_the_test_extra_and_runs_the_tests():
    install, run = fences(section(TEXT, "Test it"))[0].text.strip().split(" && ")

    assert shlex.split(install) == ["pip", "install", "-e", ".[test]"]
    assert shlex.split(run) == ["pytest", "-n", "2", "--dist", "loadfile"]


def test_it_begins_with_title_sentence_picture_and_notice():
    paragraphs = [part for part in TEXT.split("\n\n") if not part.startswith("<!--")]

    assert paragraphs[0] == "# medcam"
    assert paragraphs[1].count(". ") == 0
    assert re.match(r"!\[[^\]]+\]\(docs/images/[a-z-]+\.(jpg|png)\)", paragraphs[2])
    assert "Research use. Not a medical device." in paragraphs[3]


def test_the_first_python_is_eight_lines():
    (first, *_) = fences(TEXT, "python")
    lines = [line for line in first.text.splitlines() if line.strip()]

    assert len(lines) <= 8
    assert TEXT.index("```python") < TEXT.index("## Run it")


def test_at_most_three_badges_below_the_first_text():
    badges = re.findall(r"\[!\[", prose(TEXT))

    assert len(badges) <= 3
    assert "[![" not in TEXT[: TEXT.index("```")]


def test_the_picture_is_a_real_one():
    (target,) = re.findall(r"!\[[^\]]+\]\((docs/images/[^)]+)\)", TEXT)[:1]

    assert (ROOT / target).stat().st_size > 10_000


def test_no_block_is_left_empty():
    assert [fence.line for fence in fences(TEXT) if not fence.text.strip()] == []


def test_the_demo_output_is_shown_with_its_notice():
    shown = "".join(fence.text for fence in fences(section(TEXT, "What it prints")))

    assert "Research use. Not a medical device." in shown
