"""`medcam demo`: the main job on the sample films."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.annotate_told import exit_code, summarise
from medcam.cli.console import command_line, on_terminal, progress, say, show, stoppable

if TYPE_CHECKING:
    from medcam.service.demo import Demo, DemoRow

DEFAULT_OUT = Path("medcam-demo")


def demo(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where results go.", show_default="./medcam-demo")
    ] = DEFAULT_OUT,
    no_dashboard: Annotated[
        bool, typer.Option("--no-dashboard", help="Do not open the review page at the end.")
    ] = False,
) -> None:
    """Annotate the sample films, and print what was found and what is truly there. Research use. Not a medical device.

    The films are synthetic, so that the truth is known. On a terminal the review page opens at the end.
    """
    with stoppable("Give the same command again to go on."), progress("annotate") as step:
        from medcam.service.demo import run_demo

        result = run_demo(out, progress=lambda now: step(now.done, now.total, ""))
    _print_rows(result)
    summarise(result.manifest, out)
    if on_terminal() and not no_dashboard:
        from medcam.cli.review import open_review

        open_review(out)
    else:
        say(f"Look at them: {command_line('medcam', 'review', '--store', out)}")
    raise typer.Exit(exit_code(result.manifest))


def _print_rows(result: Demo) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        title="Found by the model, and truly there",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for name in ("film", "finding", "prob.", "found", "there", "peak in"):
        table.add_column(name, no_wrap=True)
    table.add_column("IoU", justify="right", no_wrap=True)
    last = ""
    for row in result.rows:
        table.add_row("" if row.film == last else Path(row.film).stem, *_cells(row))
        last = row.film
    show(table)
    for line in _sums(result.rows):
        say(line)


def _cells(row: DemoRow) -> tuple[str, ...]:
    return (
        row.finding,
        f"{row.probability:.2f}",
        _word(row.present, unknown="withheld"),
        row.difficulty or _word(row.true),
        _word(row.peak_inside),
        "" if row.iou is None else f"{row.iou:.2f}",
    )


def _word(answer: bool | None, unknown: str = "") -> str:
    return unknown if answer is None else "yes" if answer else "no"


def _sums(rows: tuple[DemoRow, ...]) -> tuple[str, ...]:
    there = [row for row in rows if row.true]
    found = sum(bool(row.present) for row in there)
    alarms = sum(bool(row.present) for row in rows if not row.true)
    pointed = sum(bool(row.peak_inside) for row in there)
    return (
        f"Found {found} of the {len(there)} findings that are there, and {alarms} that are not.",
        f"The peak of the map lies in the true finding (peak in) {pointed} times out of {len(there)}.",
        "IoU: overlap of the strongest region's box with the true box, 1 where they are the same.",
    )
