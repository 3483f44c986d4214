"""`medcam evaluate`: is the model right, and right for the right reason?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import progress, say, show
from medcam.cli.evaluate_cohort import anatomy, units
from medcam.cli.evaluate_errors import errors

if TYPE_CHECKING:
    from medcam.core.card import Interval
    from medcam.service.measure.model import ModelFigures

app = typer.Typer(help="Measure a model on films whose truth is known.", no_args_is_help=True)


@app.command()
def localisation(
    model: Annotated[str, typer.Option(help="Name or folder of a model of the phantom's findings.")] = "phantom",
    count: Annotated[int, typer.Option(help="Phantoms to measure on.", min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Their seed; the shipped model has seen 101, 202 and 303.", min=0)] = 404,
    size: Annotated[int, typer.Option(help="Side of the rendered films in pixels.", min=64)] = 512,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")] = False,
) -> None:
    """Classification and localisation on unseen phantoms, whose findings are known to the pixel.

    AUC counts films with a moderate or plain finding against films without; pointing (the peak lies in the true mask)
    and IoU count every finding that is truly there. Intervals are 95 % bootstrap intervals over patients.
    """
    from medcam.service.measure.model import PhantomStudy, measure_on_phantoms

    with progress("phantoms") as step:
        figures = measure_on_phantoms(
            model, PhantomStudy(seed, count, size), workers=workers, progress=lambda done, total: step(done, total, "")
        )
    if as_json:
        say(json.dumps(figures.as_dict(), indent=1))
    else:
        _show(figures)


app.command()(anatomy)
app.command()(units)
app.command()(errors)


def _show(figures: ModelFigures) -> None:
    from rich.table import Table

    study = figures.study
    table = Table(title=f"{figures.model} on {study.count} phantoms of seed {study.seed} at {study.size} px")
    for column in ("finding", "n", "AUC", "AUC, subtle", "pointing", "IoU, calibrated", "IoU, paper's rule"):
        table.add_column(column, justify="left" if column == "finding" else "right")
    for name, row in figures.findings.items():
        cells = (row.auc, row.auc_subtle, row.pointing, row.iou, row.iou_paper)
        table.add_row(name, str(row.n), *(_cell(cell) for cell in cells))
    table.add_section()
    everything = (figures.pointing, figures.iou, figures.iou_paper)
    found = str(sum(row.n for row in figures.findings.values()))
    mean_auc = "-" if figures.mean_auc is None else f"{figures.mean_auc:.3f}"
    table.add_row("all", found, mean_auc, "", *(_cell(cell) for cell in everything))
    show(table)
    say(f"Expected calibration error {figures.calibration_error:.4f}")
    if figures.false_alarms is not None:
        say(f"Flagged as out of distribution: {figures.false_alarms:.1%}")


def _cell(figure: Interval | None) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})" if figure else "-"
