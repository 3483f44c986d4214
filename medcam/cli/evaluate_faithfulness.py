"""`medcam evaluate faithfulness`: does erasing what a map names change the score?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import progress, say, show, stoppable
from medcam.cli.model_options import EngineOption

if TYPE_CHECKING:
    from rich.table import Table

    from medcam.evaluate.agreement_figure import Figure
    from medcam.evaluate.faithfulness.record import FaithfulnessRecord


def faithfulness(
    model: Annotated[str, typer.Option(help="Name or folder of a model.")] = "phantom",
    data: Annotated[
        str, typer.Option(metavar="DIR|phantoms", help="A labelled folder of films, or phantoms made for it.")
    ] = "phantoms",
    method: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Of `medcam models methods`; repeatable; all by default.")
    ] = None,
    fill: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="mean, blur, noisy-linear or healthy; repeatable; all by default."),
    ] = None,
    films: Annotated[int, typer.Option(help="Most films, each judged for one finding that is there.", min=2)] = 24,
    seed: Annotated[int, typer.Option(help="Of phantoms, controls and subsets.", min=0)] = 0,
    engine: EngineOption = "auto",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the record to this JSON file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")] = False,
) -> None:
    """Deletion, insertion, ROAD, sensitivity-n and infidelity of every attribution method, beside controls.

    On phantoms the same patient without the finding is known, so that erasing can be exact. Intervals are 95 % over
    patients. Of heads with a ledger, the change that it predicts is held against the true one.
    """
    from medcam.service.evaluation.faithfulness import evaluate_faithfulness, write_faithfulness

    with stoppable("Run the same command again."), progress("faithfulness") as step:
        record = evaluate_faithfulness(
            model,
            data,
            methods=method or (),
            fills=fill or (),
            films=films,
            seed=seed,
            engine=engine,
            progress=lambda done, total: step(done, total, ""),
        )
    if out is not None:
        write_faithfulness(record, out)
    if as_json:
        say(record.to_json())
        return
    for name in dict.fromkeys(row.fill for row in record.curves):
        show(_curves(record, name))
    show(_sums(record))
    if record.ledger:
        show(_ledger(record))
    _say_notes(record)


def _say_notes(record: FaithfulnessRecord) -> None:
    say(f"{record.films} films of {record.patients} patients, {record.cells} x {record.cells} cells, {record.engine}.")
    for note in record.notes:
        say(f"Note: {note}.")
    for name, code in record.skipped.items():
        say(f"Passed over: {name} ({code}).")


def _curves(record: FaithfulnessRecord, fill: str) -> Table:
    from rich.table import Table

    table = Table(
        title=f"Erased cells filled with: {fill}" + (" (difference is ROAD)" if fill == "noisy-linear" else "")
    )
    for column in ("method", "deletion", "insertion", "difference", "beyond random", "beyond centre"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for row in record.overall(fill):
        figures = (row.deletion, row.insertion, row.difference, row.beyond_random, row.beyond_centre)
        table.add_row(row.method + (" (control)" if row.control else ""), *map(_number, figures))
    return table


def _sums(record: FaithfulnessRecord) -> Table:
    from rich.table import Table

    table = Table(title="Do values add up to what erasing does?")
    table.add_column("method")
    sizes = list(record.linear[0].sensitivity) if record.linear else []
    for column in (*(f"sensitivity-{n}" for n in sizes), "infidelity, scaled"):
        table.add_column(column, justify="right")
    for row in record.linear:
        table.add_row(row.method, *map(_number, row.sensitivity.values()), _number(row.infidelity))
    return table


def _ledger(record: FaithfulnessRecord) -> Table:
    from rich.table import Table

    table = Table(title="Change of the logit: as the ledger predicts, and truly")
    for column in ("erased", "filled with", "predicted", "true", "mean error", "true / predicted"):
        table.add_column(column, justify="left" if column in ("erased", "filled with") else "right")
    for row in record.ledger:
        table.add_row(row.region, row.fill, *map(_number, (row.predicted, row.true, row.error, row.slope)))
    return table


def _number(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    span = "" if figure.low is None or figure.high is None else f" ({figure.low:.2f} to {figure.high:.2f})"
    return f"{figure.value:.2f}{span}"
