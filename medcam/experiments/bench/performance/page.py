"""The page of the benchmark, written from its record alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from medcam.experiments.bench.performance.parts import PARTS, Part, measured_parts
from medcam.experiments.bench.performance.record import PartRecord, Records, write_records
from medcam.experiments.bench.performance.run import busy
from medcam.experiments.tables import table
from medcam.service.atomic import write_text

PAGE = Path("docs/explanation/performance.md")
FOLDER = "figures"
_INTRODUCTION = """How long medcam takes beside other ways to the same maps, all measured by one command; on which
machine is told at the end. Each comparison is measured in turns, so that what else the machine does meets both sides;
ratios are medians of pairs with their 95 % interval, where there is more than one. A ratio travels better to another
machine than a time. Weights are random: they change no time, and these figures say nothing of how good a model is."""
_OTHERS = """Waiting times of the review pages: [how fast the review pages are](dashboard-performance.md), by
`medcam bench dashboard`."""
_GPU = """A GPU is measured wherever torch finds one (CUDA), in columns of its own. That has not been tried: none of the
machines that these figures come from has one."""


def record_path(page: Path) -> Path:
    """Where the record of a page is kept."""
    return page.parent / FOLDER / f"{page.stem}.json"


def write_page(records: Records, page: Path, parts: Sequence[Part] = PARTS) -> None:
    """Writes the page, and its record in the folder `figures` beside it."""
    path = record_path(page)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_records(path, records)
    write_text(page, page_text(records, page, parts))


def page_text(records: Records, page: Path, parts: Sequence[Part] = PARTS) -> str:
    """The page's text.

    Args:
        records: Parts that were measured.
        page: Where it will be; the record is linked from there.
        parts: All that there are, in order.
    """
    measured = measured_parts(records, parts)
    blocks = ["# How fast medcam is", _INTRODUCTION, "## Targets", _targets(measured)]
    for part, kind, one in measured:
        body = f"Not measured: {one.error}" if one.error else part.section(one.found)
        blocks += [f"## {_named(part.title, kind)}", body]
    link = f"[the record]({FOLDER}/{record_path(page).name})"
    blocks += ["## Other figures", _OTHERS, "## How it was made", _origin(measured, link)]
    if not any(
        cell["device"] == "cuda" for one in records.values() for cell in one.found.get("cells", ()) if "device" in cell
    ):
        blocks.append(_GPU)
    return "\n\n".join(_prose(block) for block in blocks) + "\n"


def _targets(measured: Sequence[tuple[Part, str, PartRecord]]) -> str:
    rows = [
        (*row[:3], _judged(row[3], one))
        for part, _, one in measured
        if not one.error
        for row in part.targets(one.found)
    ]
    return table(("what", "target", "measured (95 % interval)", "reached"), rows, words=True)


def _judged(said: str, one: PartRecord) -> str:
    """Whether a target is reached; that is not told where others kept the machine busy."""
    cores = int(one.machine["cores"])
    if busy(one.load, cores):
        return f"not told: the machine was busy (load {one.load:.0f} on {cores} cores)"
    return said


def _origin(measured: Sequence[tuple[Part, str, PartRecord]], link: str) -> str:
    rows = [
        (
            _named(part.name, kind),
            f"`medcam bench --only {part.name}{' --quick' if one.quick else ''} --write-page`",
            one.made,
            f"{one.seconds / 60:.1f}",
            f"{one.load:.1f} to {one.load_after:.1f}",
        )
        for part, kind, one in measured
    ]
    places: dict[str, list[str]] = {}
    for part, kind, one in measured:
        places.setdefault(_place(one), []).append(_named(part.name, kind))
    where = " / ".join(f"{place} ({'; '.join(parts)})" for place, parts in places.items())
    told = f"""Load: the load average over the minute before a part began, and over its last; with
--quick, over the minute before all of it began. The benchmark itself makes
about as much as there are cores; what is above that is work of others, and where the first is far from 0 the
machine was
not quiet. Python, libraries and machine: {where}. All figures on this page were written by the
command, from
{link}; `medcam bench --from FILE` writes the page from a record again. The peers are in the extra `bench`.
Research use.
Not a medical device."""
    return f"{table(('part', 'command', 'day', 'minutes', 'load'), rows, words=True)}\n\n{told}"


def _named(name: str, kind: str) -> str:
    return ", ".join(filter(None, (name, kind)))


def _place(one: PartRecord) -> str:
    about = one.machine
    return f"{about['cores']} cores, {about['processor']}; {about['system']}; {about['packages']}; medcam {one.version}"


def _prose(block: str) -> str:
    """Paragraphs wrapped anew; tables, headings and fences as they are."""
    paragraphs = re.split(r"\n\s*\n", block.strip())
    return "\n\n".join(
        one
        if one.startswith(("|", "#", "```"))
        else fill(" ".join(one.split()), 118, break_long_words=False, break_on_hyphens=False)
        for one in paragraphs
    )
