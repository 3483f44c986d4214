"""`medcam evaluate performance | drift`: from what a results folder or a store holds, without running the model."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medcam.cli.console import ExitCode, progress, say, show, stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from medcam.evaluate.agreement_figure import Figure
    from medcam.service.evaluation.drift import DriftRecord
    from medcam.service.evaluation.observed import Observed
    from medcam.service.evaluation.performance import PerformanceRecord

Record = Annotated[
    str | None,
    typer.Argument(metavar="[RECORD]", help="A results folder of `medcam annotate`, or a store.", show_default=False),
]
Source = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH", help="Where the films of a results folder lie: their headers are read; repeatable."),
]
Since = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Films from this day on.")]
Until = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Films before this day.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures to this JSON file.")]
Seed = Annotated[int, typer.Option(help="Of bootstrap and permutations.", min=0)]
AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")]


def performance(
    record: Record = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="labels.csv, or truth in any format of `medcam evaluate localisation`."),
    ] = None,
    source: Source = None,
    by: Annotated[
        str | None,
        typer.Option("--id", metavar="NAME", help="How films are found: file-name, path or sop-instance-uid."),
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="TRUTH=MODEL", help="What the model calls a finding; repeatable.")
    ] = None,
    since: Since = None,
    until: Until = None,
    out: Out = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """AUC, sensitivity and specificity at the operating point, and calibration: overall and by subgroup.

    Intervals are 95 % with patients as the unit. Groups are view, sex, age band, manufacturer and whatever else the
    record or the table of labels has; small ones are marked.
    """
    from medcam.service.evaluation.labels import read_labels
    from medcam.service.evaluation.performance import measure_performance

    if truth is None:
        raise UsageError("performance is measured against a truth", next_step="Name it with --truth.")
    from medcam.cli.evaluate_localisation import film_id, finding_names

    with stoppable("Run the same command again."):
        labels = read_labels(truth, finding_names(rename or []), film_id(by))
        measured = measure_performance(_observed(record, source, since, until), labels, seed=seed)
    give(measured.as_dict(), out, as_json=as_json)
    if not as_json:
        _show_performance(measured)


def drift(
    before: Annotated[
        str | None, typer.Option(metavar="RECORD", help="The earlier period: a results folder, or a store.")
    ] = None,
    after: Annotated[str | None, typer.Option(metavar="RECORD", help="The later period.")] = None,
    split: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Part by day: before it, and from it on.")
    ] = None,
    source: Source = None,
    out: Out = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Whether films, scores or evidence of a later period are another population than those of an earlier one.

    All tests are one family under Holm's correction at 5 %. Ends with 1 where anything drifted. With --split, --after
    may be left out: both periods are then of the same record.
    """
    from medcam.service.evaluation.drift import measure_drift

    if before is None or (after is None and split is None):
        raise UsageError("drift needs two periods", next_step="Give --before and --after, or --before and --split.")
    with stoppable("Run the same command again."):
        found = measure_drift(
            _observed(before, source, None, split), _observed(after or before, source, split, None), seed=seed
        )
    give(found.as_dict(), out, as_json=as_json)
    if not as_json:
        _show_drift(found)
    raise typer.Exit(ExitCode.SOME_QUARANTINED if found.drift.drifted() else ExitCode.DONE)


def day_of(text: str | None) -> date | None:
    """A day on the command line.

    Raises:
        UsageError: It is none.
    """
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day", next_step="Write it as 2026-01-31.") from None


def _observed(record: str | None, source: list[str] | None, since: str | None, until: str | None) -> Observed:
    from medcam.service.evaluation.observed import observe

    with progress("films") as step:
        return observe(
            record,
            source or [],
            since=day_of(since),
            until=day_of(until),
            progress=lambda done, total: step(done, total, ""),
        )


def give(figures: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    """Writes figures to a file, and prints them as JSON, as asked for."""
    from medcam.service.atomic import write_text
    from medcam.service.output_errors import writing

    text = json.dumps(figures, indent=1, allow_nan=False)
    if out is not None:
        with writing():
            out.parent.mkdir(parents=True, exist_ok=True)
            write_text(out, text + "\n")
        tell(f"Figures: {out}")
    if as_json:
        say(text)


def _show_performance(record: PerformanceRecord) -> None:
    from rich.table import Table

    table = Table(title=f"{record.model['name']}: {record.films} films of {record.patients} patients")
    for column in ("finding", "with / films", "AUC", "sensitivity", "specificity", "calibration error"):
        table.add_column(column, justify="left" if column == "finding" else "right")
    for name, one in record.findings.items():
        group, error = one.overall, one.calibration.error
        chance = f"; chance {one.calibration.by_chance:.3f}" if one.calibration.by_chance is not None else ""
        counts = f"{group.patients_with} / {group.films}"
        shown = (_figure(figure) for figure in (group.auc, group.sensitivity, group.specificity))
        table.add_row(name + _mark(small=group.small), counts, *shown, _figure(error) + chance)
    show(table)
    for attribute in record.attributes:
        show(_groups_table(record, attribute))
    from medcam.evaluate.performance import SMALL_RULE

    say(f"* {SMALL_RULE}")
    if record.without_truth or record.without_record:
        say(
            f"Left out: {record.without_truth} films without truth, {record.without_record} of the truth not on record."
        )
    if record.not_shown:
        say(f"The model does not know: {', '.join(record.not_shown)}. --rename says what it calls a finding.")


def _groups_table(record: PerformanceRecord, attribute: str) -> Table:
    from rich.table import Table

    table = Table(title=f"by {attribute}")
    for column in ("finding", "group", "with / films", "AUC", "sensitivity", "specificity", "AUC differs"):
        table.add_column(column, justify="left" if column in ("finding", "group") else "right")
    for name, one in record.findings.items():
        test = one.tests.get(attribute)
        told = "-" if test is None else f"{'yes' if test.differs else 'no'}, p {test.adjusted:.3g}"
        for group, figures in one.groups.get(attribute, {}).items():
            shown = (_figure(figure) for figure in (figures.auc, figures.sensitivity, figures.specificity))
            counts = f"{figures.patients_with} / {figures.films}"
            table.add_row(name, group + _mark(small=figures.small), counts, *shown, told)
            name = told = ""
    return table


def _show_drift(record: DriftRecord) -> None:
    from rich.table import Table

    from medcam.service.evaluation.drift import RULE

    before, after = record.before, record.after
    table = Table(title=f"{before['name']} ({before['films']} films) and {after['name']} ({after['films']} films)")
    for column in ("kind", "what", "test", "cases", "p", "adjusted", "drift", "change"):
        table.add_column(column, justify="right" if column in ("cases", "p", "adjusted") else "left")
    for one in record.drift.tests:
        cases = f"{one.test.before} + {one.test.after}"
        told = "YES" if one.drifted else "no"
        p_values = (f"{value:.3g}" for value in (one.test.p, one.adjusted))
        table.add_row(str(one.kind), one.what, one.test.test, cases, *p_values, told, one.change)
    show(table)
    for what, reason in record.drift.untested.items():
        say(f"Not tested: {what}: {reason}")
    say(RULE)


def _mark(*, small: bool) -> str:
    return " *" if small else ""


def _figure(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f} ({figure.doubt})"
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"
