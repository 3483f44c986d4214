"""`medcam evaluate anatomy | units | errors`: looks at a model over a folder of films."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import progress, say, show, stoppable, tell

if TYPE_CHECKING:
    from rich.table import Table

    from medcam.core.card import Interval
    from medcam.service.evaluation.anatomy import AnatomyFigures, FindingAnatomy

Folder = Annotated[Path, typer.Argument(metavar="COHORT", help="A folder of films, with labels.csv or truth.json.")]
Model = Annotated[str, typer.Option(help="Name or folder of a model.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")]
_AGAIN = "Run the same command again."


def anatomy(
    cohort: Folder,
    model: Model = "phantom",
    figure: Annotated[Path | None, typer.Option(help="Write a figure to this SVG file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Which anatomy drives which finding: share of the positive evidence per zone and structure, beside the expected.

    Counts the films on which a finding is present, by their labels where there are any, else by the model. Zones are
    exact on phantoms made with masks, else found by registration. Intervals are 95 % bootstrap intervals over patients.
    """
    from medcam.service.evaluation.anatomy import evaluate_anatomy, write_chart

    with stoppable(_AGAIN), progress("anatomy") as step:
        figures = evaluate_anatomy(cohort, model, progress=lambda done, total: step(done, total, ""))
    if figure is not None:
        write_chart(figure, figures)
    if as_json:
        say(json.dumps(figures.as_dict(), indent=1))
    else:
        _show_anatomy(figures)


def _show_anatomy(figures: AnatomyFigures) -> None:
    for name, finding in figures.findings.items():
        show(_anatomy_table(name, finding))
    zones = f"{figures.exact} with exact zones, {figures.registered} with zones by registration"
    left = f", {figures.without_zones} left out with zones of a quality below {figures.minimum_quality:g}"
    quality = "" if figures.zones_quality is None else f"; mean quality of the zones used {figures.zones_quality:.2f}"
    say(f"{figures.films} films of {figures.patients} patients: {zones}{left}{quality}.")
    _say_skipped(len(figures.skipped))


def _anatomy_table(name: str, finding: FindingAnatomy) -> Table:
    from rich.table import Table

    by = f"{finding.by_label} by label, {finding.n + finding.silent - finding.by_label} by the model"
    words = f"; expected: {finding.expected_words}, {_percent(finding.expected_share)}" if finding.expected else ""
    table = Table(title=f"{name}: n = {finding.n} ({by}){words}")
    for column in ("place", "expected", "share of evidence", "share of body's area", "enrichment"):
        table.add_column(column, justify="left" if column == "place" else "right")
    for place, row in finding.places.items():
        area = f"{row.area:.1%}" if row.enrichment else "-"
        mark = "yes" if place in finding.expected else ""
        table.add_row(place, mark, _percent(row.share), area, _number(row.enrichment))
    return table


def _say_skipped(count: int) -> None:
    if count:
        tell(f"{count} files were passed over; --json names them.")


def _percent(figure: Interval | None) -> str:
    return f"{figure.value:.1%} ({figure.low:.1%}-{figure.high:.1%})" if figure else "-"


def _number(figure: Interval | None) -> str:
    return f"{figure.value:.2f} ({figure.low:.2f}-{figure.high:.2f})" if figure else "-"
