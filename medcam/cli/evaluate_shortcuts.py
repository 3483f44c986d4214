"""`medcam evaluate shortcuts`: is the model right for the right reason, or does it read what is no anatomy?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import progress, say, show, stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from medcam.core.card import Interval
    from medcam.evaluate.shortcuts.record import ShortcutRecord


def shortcuts(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="A folder of films, with labels.csv or truth.json where there is one.")
    ],
    model: Annotated[str, typer.Option(help="Name or folder of a model.")] = "phantom",
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="A table of labels and attributes (view, sex, age, manufacturer, burned-in annotation) for the films.",
        ),
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="TRUTH=MODEL", help="What the model calls a finding; repeatable.")
    ] = None,
    controls: Annotated[int, typer.Option(help="Equal parts elsewhere that are erased per film and place.", min=1)] = 3,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the record to this JSON file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")] = False,
) -> None:
    """Evidence on markers, burned-in text, devices, borders and outside the body, and what erasing them changes.

    A place is told where erasing it moves a finding's logit further than erasing as much elsewhere does, by a rule that
    is printed. Scores are also compared with view, sex, age, manufacturer and burned-in annotation, the label held
    fixed where there is one. Intervals are 95 % over patients; many tests are corrected for.
    """
    from medcam.service.evaluation.shortcuts import evaluate_shortcuts, write_record

    with stoppable("Run the same command again."), progress("shortcuts") as step:
        record = evaluate_shortcuts(
            model,
            data,
            truth=truth,
            rename=_names(rename or []),
            controls=controls,
            progress=lambda done, total: step(done, total, ""),
        )
    if out is not None:
        write_record(record, out)
    if as_json:
        say(record.to_json())
        return
    for table in (_erasing(record), _evidence(record), _associations(record)):
        if table.row_count:
            show(table)
    _say_verdict(record)


def _names(pairs: list[str]) -> dict[str, str]:
    names = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(names) < len(pairs) or not all(map(all, names.items())):
        raise UsageError("--rename takes TRUTH=MODEL", next_step='For example --rename "Effusion=Pleural Effusion".')
    return names


def _erasing(record: ShortcutRecord) -> Table:
    from rich.table import Table

    table = Table(title=f"Erasing, {record.model}: change of the logit")
    for column in ("finding", "place", "films", "by erasing", "by the control", "effect in SD", "of", "q", "verdict"):
        table.add_column(column, justify="left" if column in ("finding", "place", "of", "verdict") else "right")
    for row in sorted(record.erasing, key=lambda each: -abs(each.effect.value)):
        # Without enough films on both sides an effect would be read for more than it is.
        effect = "-" if row.p is None else _number(row.effect)
        figures = (_number(row.change), _number(row.control), effect, str(row.basis), _q(row.q))
        table.add_row(row.finding, str(row.place), str(row.films), *figures, str(row.severity))
    return table


def _evidence(record: ShortcutRecord) -> Table:
    from rich.table import Table

    table = Table(title="Positive evidence on films with the finding")
    for column in ("finding", "place", "films", "share of evidence", "share of area", "enrichment"):
        table.add_column(column, justify="left" if column in ("finding", "place") else "right")
    for row in record.evidence:
        share = f"{row.share.value:.1%} ({row.share.low:.1%} to {row.share.high:.1%})"
        table.add_row(row.finding, str(row.place), str(row.films), share, f"{row.area:.1%}", _number(row.enrichment))
    return table


def _associations(record: ShortcutRecord) -> Table:
    from rich.table import Table

    table = Table(title="Association of the logit with attributes")
    for column in ("finding", "attribute", "contrast", "films", "label held", "effect in SD", "q", "verdict"):
        table.add_column(column, justify="right" if column in ("films", "effect in SD", "q") else "left")
    for row in record.associations:
        held = "yes" if row.adjusted else "no"
        figures = (_number(row.effect), _q(row.q))
        table.add_row(row.finding, row.attribute, row.contrast, str(row.films), held, *figures, str(row.severity))
    return table


def _say_verdict(record: ShortcutRecord) -> None:
    say(f"{record.films} films of {record.patients} patients, places exact on {record.exact}.")
    for row in record.shortcuts:
        say(f"{row.finding} hangs on {row.place}: {row.severity} ({row.reason}).")
    if not record.shortcuts:
        say(f"No place is told as a shortcut ({record.severity}).")
    followed = [row for row in record.associations if row.told]
    if followed:
        names = ", ".join(f"{row.finding} with {row.attribute} ({row.contrast})" for row in followed)
        say(f"Scores that follow an attribute: {names}.")
    say(f"Rule: {record.rule.words}.")
    for note in record.notes:
        say(f"Note: {note}.")
    if record.skipped:
        tell(f"{len(record.skipped)} files were passed over; --json names them.")


def _number(figure: Interval | None) -> str:
    return f"{figure.value:+.2f} ({figure.low:+.2f} to {figure.high:+.2f})" if figure else "-"


def _q(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
