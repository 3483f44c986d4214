"""The project's Markdown pages, and what tests ask of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "sample_data" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) +(.*)$", re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: its language, its text and the line it starts on."""

    language: str
    text: str
    line: int


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def fences(text: str, language: str | None = None) -> list[Fence]:
    """All fenced blocks of a text, or those in one language."""
    found = [Fence(m[1], m[2], text.count("\n", 0, m.start()) + 2) for m in _FENCE.finditer(text)]
    return [fence for fence in found if language in (None, fence.language)]


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text)


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of the same or a higher level."""
    start = re.search(rf"^(#+) +{re.escape(heading)}$", text, re.MULTILINE)
    if start is None:
        raise AssertionError(f"there is no heading {heading!r}")
    rest = text[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", _FENCE.sub(lambda m: "." * len(m[0]), rest), re.MULTILINE)
    return rest[: end.start()] if end else rest


def anchors(text: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = [re.sub(r"[^\w\- ]", "", match[2].lower()) for match in _HEADING.finditer(prose(text))]
    return {heading.replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """Targets of all links and pictures."""
    return _LINK.findall(prose(text))


def table(text: str) -> list[list[str]]:
    """Cells of all table rows, header and ruler rows left out, backticks and spaces stripped."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]
    rulers = [number for number, line in enumerate(lines) if set(line) <= set("|-: ")]
    return [row for number, row in enumerate(rows) if number not in rulers and number + 1 not in rulers]
