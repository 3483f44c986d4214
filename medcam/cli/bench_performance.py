"""The body of bare `medcam bench`: measure, print, and write the page where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from medcam.cli.console import stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.experiments.bench.figure import Figure
    from medcam.experiments.bench.performance.parts import Part


def bench_performance(
    *, quick: bool, only: Sequence[str], page: Path | None, record: Path | None
) -> tuple[Figure, ...]:
    """Measures parts, or reads what was measured, and gives their figures.

    Args:
        quick: Whether by the plan of `--quick`.
        only: Names of parts; all where empty.
        page: Where the page is written; parts that its record has and that are not measured now stay as they are.
        record: A record to take all from, with nothing measured.

    Raises:
        UsageError: A part does not exist (`no-such-part`), a folder is missing (`output-not-writable`), or a file is no
            record (`bench-record`).
    """
    from medcam.experiments.bench.performance.page import record_path, write_page
    from medcam.experiments.bench.performance.plan import PerformancePlan, quick_plan
    from medcam.experiments.bench.performance.record import PartRecord, read_records
    from medcam.experiments.bench.performance.run import figures_of, run_parts

    wanted = _wanted(only, quick=quick and record is None)
    if page is not None and not page.parent.is_dir():
        raise UsageError(f"there is no folder {page.parent} for the page", code="output-not-writable")
    if record is not None:
        if not record.is_file():
            raise UsageError(f"there is no record {record.name}", code="bench-record")
        found = read_records(record)
        if page is not None:
            write_page(found, page)
    else:
        found = dict[str, PartRecord]()
        others = {} if page is None else read_records(record_path(page))
        plan = quick_plan(tell) if quick else replace(PerformancePlan(), report=tell)
        with stoppable("Parts that were finished are on the page." if page else "What was measured so far is lost."):
            for part in wanted:
                found |= run_parts(plan, [part])
                if page is not None:
                    write_page(others | found, page)
    if page is not None:
        tell(f"page: {page}")
    return figures_of(found, wanted)


def _wanted(only: Sequence[str], *, quick: bool) -> list[Part]:
    """The parts by name; where none is named all, or those of `--quick`."""
    from medcam.experiments.bench.performance.parts import PART_NAMES, PARTS

    unknown = sorted(set(only) - set(PART_NAMES))
    if unknown:
        raise UsageError(
            f"the benchmark has no part {', '.join(unknown)}",
            code="no-such-part",
            next_step=f"Choose among {', '.join(PART_NAMES)}.",
        )
    if only:
        return [part for part in PARTS if part.name in only]
    for part in PARTS:
        if quick and not part.in_quick:
            tell(f"{part.name} is not part of --quick: medcam bench --only {part.name}")
    return [part for part in PARTS if part.in_quick or not quick]
