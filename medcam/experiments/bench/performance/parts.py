"""The parts of the benchmark, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.performance import cost, cost_page, engines, pipeline, programs, service
from medcam.experiments.bench.performance.plan import PerformancePlan
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
    """

    name: str
    title: str
    run: Callable[[PerformancePlan], Found]
    figures: Callable[[Found], list[Figure]]
    targets: Callable[[Found], list[Row]]
    section: Callable[[Found], str]


PARTS = (
    Part("cost", "What the maps cost", cost.run, cost_page.figures, cost_page.targets, cost_page.section),
    Part("engines", "Engines", engines.run, engines.figures, engines.targets, engines.section),
    Part("programs", "From file to picture", programs.run, programs.figures, programs.targets, programs.section),
    Part("pipeline", "The pipeline", pipeline.run, pipeline.figures, pipeline.targets, pipeline.section),
    Part("service", "The HTTP API", service.run, service.figures, service.targets, service.section),
)
PART_NAMES = tuple(part.name for part in PARTS)
