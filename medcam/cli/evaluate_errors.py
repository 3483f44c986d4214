"""`medcam evaluate errors`: every wrong answer over a labelled folder, with the likely reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import progress, say, show, stoppable, tell

if TYPE_CHECKING:
    from rich.table import Table

    from medcam.service.evaluation.error_figures import ErrorFigures


def errors(
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="A folder of films, with labels.csv or truth.json.")],
    model: Annotated[str, typer.Option(help="Name or folder of a model with a ledger.")] = "phantom",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write index.md, pictures and errors.json there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")] = False,
) -> None:
    """Every false positive and false negative of a labelled cohort: its map, its ledger, the likely reason.

    Reasons follow from stated rules on where the evidence for the answer lay; they say where to look first.
    """
    from medcam.service.evaluation.error_report import INDEX, evaluate_errors

    with stoppable("Run the same command again."), progress("errors") as step:
        figures = evaluate_errors(cohort, model, out=out, progress=lambda done, total: step(done, total, ""))
    if as_json:
        say(json.dumps(figures.as_dict(), indent=1))
        return
    show(_table(figures))
    say(f"{len(figures.errors)} wrong answers on {figures.films} films.")
    if out is not None:
        say(f"Each with its picture: {out / INDEX}")
    if figures.skipped:
        tell(f"{len(figures.skipped)} files were passed over; --json names them.")


def _table(figures: ErrorFigures) -> Table:
    from rich.table import Table

    table = Table(title=f"Wrong answers of {figures.model}, by the films' labels")
    for column in ("finding", "films", "with it", "false positives", "false negatives", "likely reasons"):
        table.add_column(column, justify="left" if column in ("finding", "likely reasons") else "right")
    for name, row in figures.findings.items():
        reasons = "\n".join(f"{count} {cause}" for cause, count in row.causes.items()) or "-"
        counts = (row.films, row.present, row.false_positives, row.false_negatives)
        table.add_row(name, *(str(count) for count in counts), reasons)
    return table
