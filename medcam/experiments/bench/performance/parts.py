"""The parts of the benchmark, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.performance import cost, cost_page, engines, pipeline, programs, service
from medcam.experiments.bench.performance.plan import PerformancePlan
from medcam.experiments.bench.performance.record import PartRecord, Records
from medcam.experiments.bench.performance.values import Found

Row = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Args:
        name: On the command line.
        title: Of its section.
        run: Measures.
        figures: What was found, as figures.
        targets: Rows of the table of targets: what, target, measured, reached.
        section: What was found, as Markdown.
        kind: Of this machine, where figures of machines of two kinds stand beside each other; empty for the first kind.
        in_quick: Whether `--quick` measures it without being asked for it by name.
    """

    name: str
    title: str
    run: Callable[[PerformancePlan], Found]
    figures: Callable[[Found], list[Figure]]
    targets: Callable[[Found], list[Row]]
    section: Callable[[Found], str]
    kind: Callable[[], str] = str
    in_quick: bool = True


PARTS = (
    Part("cost", "What the maps cost", cost.run, cost_page.figures, cost_page.targets, cost_page.section),
    Part("engines", "Engines", engines.run, engines.figures, engines.targets, engines.section, engines.kind),
    Part("programs", "From file to picture", programs.run, programs.figures, programs.targets, programs.section),
    Part("pipeline", "The pipeline", pipeline.run, pipeline.figures, pipeline.targets, pipeline.section),
    Part("service", "The HTTP API", service.run, service.figures, service.targets, service.section, in_quick=False),
)


def measured_parts(records: Records, parts: Sequence[Part]) -> list[tuple[Part, str, PartRecord]]:
    """Parts that a record has, in the order of the parts: the part, the kind of machine, what was measured.

    Args:
        records: By `record_key`.
        parts: All that there are.
    """
    return [
        (part, kind, one)
        for part in parts
        for name, kind, one in sorted((*key.partition("/")[::2], one) for key, one in records.items())
        if name == part.name
    ]


def record_key(part: Part) -> str:
    """What a part is kept under if it is measured on this machine."""
    return "/".join(filter(None, (part.name, part.kind())))


PART_NAMES = tuple(part.name for part in PARTS)
