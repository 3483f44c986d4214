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
    from medcam.service.evaluation.units import FindingUnits, UnitsFigures

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


def units(
    cohort: Folder,
    model: Model = "phantom",
    units: Annotated[int, typer.Option(help="Units per finding.", min=1)] = 5,
    patches: Annotated[int, typer.Option(help="Films per unit.", min=1)] = 6,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a picture per finding there.")] = None,
    as_json: AsJson = False,
) -> None:
    """For each finding the units that contribute most (weight x mean activation), and the patches that excite them.

    Units are the channels of the layer that the head reads, or of the one below where a network has a unit per finding.
    """
    from medcam.service.evaluation.units import evaluate_units

    with stoppable(_AGAIN), progress("units") as step:
        figures = evaluate_units(
            cohort,
            model,
            units=units,
            patches=patches,
            out=out,
            progress=lambda done, total: step(done, total, ""),
        )
    if as_json:
        say(json.dumps(figures.as_dict(), indent=1))
        return
    for name, finding in figures.findings.items():
        show(_units_table(name, finding, figures))
    say(f"{figures.films} films; {figures.units} units of {figures.layer}.")
    if out is not None:
        say(f"Pictures: {out}/units-<finding>.png")
    _say_skipped(len(figures.skipped))


def _units_table(name: str, finding: FindingUnits, figures: UnitsFigures) -> Table:
    from rich.table import Table

    score = "logit" if figures.score == "logit" else "activation of its unit before the softplus"
    words = f"mean {score} {finding.score:+.2f} = bias {finding.bias:+.2f} + {figures.units} units"
    table = Table(title=f"{name}: n = {finding.films} films with, {finding.without} without; {words}")
    for column in ("unit", "weight", "adds with it", "adds without", "difference", "films that excite it most"):
        table.add_column(column, justify="left" if column.startswith("films") else "right")
    for unit in finding.units:
        share = unit.share
        numbers = (share.weight, share.present, share.absent, share.difference)
        right = sum(each.label == 1 for each in unit.excited)
        films = f"{right} of {len(unit.excited)} have the finding"
        table.add_row(str(share.unit), *(f"{value:+.3f}" for value in numbers), films)
    return table


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
