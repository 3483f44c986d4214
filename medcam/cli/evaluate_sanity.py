"""`medcam evaluate sanity`: do maps hang on what the model has learnt, and on nothing else?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import say, show, stoppable, tell

if TYPE_CHECKING:
    from rich.table import Table

    from medcam.evaluate.sanity.record import SanityRecord


def sanity(
    model: Annotated[str, typer.Option(help="Name or folder of a model.")] = "phantom",
    data: Annotated[
        str, typer.Option(metavar="DIR|phantoms", help="A labelled folder of films, or phantoms made for it.")
    ] = "phantoms",
    method: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Of `medcam models methods`; repeatable; all by default.")
    ] = None,
    second: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The same kind of model, trained from another seed.")
    ] = None,
    shuffled: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The same kind of model, trained on shuffled labels.")
    ] = None,
    films: Annotated[int, typer.Option(help="Most films, each judged for one finding that is there.", min=2)] = 24,
    seed: Annotated[int, typer.Option(help="Of phantoms, noise and random weights.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the record to this JSON file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")] = False,
) -> None:
    """Randomised weights and labels, input noise, another seed, window, crop and flip: a verdict per method.

    A map must be lost where what the model has learnt is taken away, and kept where nothing of meaning changes.
    Thresholds come from maps of unrelated films; the rule is printed.
    """
    from medcam.service.evaluation.sanity import evaluate_sanity, write_sanity

    with stoppable("Run the same command again."):
        record = evaluate_sanity(
            model,
            data,
            methods=method or (),
            second=second,
            shuffled=shuffled,
            films=films,
            seed=seed,
            progress=tell,
        )
    if out is not None:
        write_sanity(record, out)
    if as_json:
        say(record.to_json())
        return
    show(_table(record))
    for name in record.methods:
        say(f"{name}: {record.verdict(name)}.")
    say(f"{record.films} films of {record.patients} patients. Rule: {record.rule}.")
    for note in record.notes:
        say(f"Note: {note}.")
    for what, code in record.skipped.items():
        say(f"Passed over: {what} ({code}).")


def _table(record: SanityRecord) -> Table:
    from rich.table import Table

    table = Table(title=f"Sanity of maps of {record.model}: Spearman correlation")
    for column in ("method", "test", "detail", "similarity", "must be", "verdict", "counts"):
        table.add_column(column, justify="right" if column == "similarity" else "left")
    for row in record.rows:
        if row.measure != "spearman":
            continue
        figure = row.similarity
        span = "" if figure.low is None or figure.high is None else f" ({figure.low:.2f} to {figure.high:.2f})"
        value = "-" if figure.value is None else f"{figure.value:.2f}{span}"
        limit = f"{'below' if row.must == 'lose' else 'above'} {row.threshold:.2f}"
        counts = "yes" if row.decides else "no"
        name = row.method + (" (known bad)" if row.control else "")
        table.add_row(name, row.test, row.detail, value, limit, str(row.verdict), counts)
    return table
