"""`medcam bench`: how long things take on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from medcam.cli.console import command_line, say, show, stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.experiments.bench.figure import Figure

app = typer.Typer(help="Measure how long things take on this machine.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure how long things take on this machine."""


@app.command()
def dashboard(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer reruns: a first look.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    store: Annotated[
        str | None,
        typer.Option(metavar="STORE", help="An empty store to fill and use.", show_default="one of each kind"),
    ] = None,
    readers: Annotated[int, typer.Option(metavar="N", help="How many read at once.", min=1)] = 30,
    reruns: Annotated[
        int | None, typer.Option(metavar="N", help="Reruns without thinking.", min=1, show_default="20000, quick 1000")
    ] = None,
    think: Annotated[float, typer.Option(metavar="SECONDS", help="Mean time between acts.", min=0.0)] = 5.0,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures as a page too.", show_default="no page")
    ] = None,
) -> None:
    """Load-test the review pages: a full store, the real server, many readers at once.

    Waiting times, memory, and questions to a worklist of 100,000 studies, on SQLite and PostgreSQL.
    """
    from medcam.experiments.bench.dashboard.page import write_page
    from medcam.experiments.bench.dashboard.plan import BenchPlan
    from medcam.experiments.bench.dashboard.run import run_dashboard_bench

    plan = replace(BenchPlan().quicker() if quick else BenchPlan(), readers=readers, think=think)
    if reruns is not None:
        plan = replace(plan, reruns=reruns)
    if page is not None and not page.parent.is_dir():
        raise UsageError(f"there is no folder {page.parent} for the page", code="output-not-writable")
    with stoppable("What was measured so far is lost."):
        found = run_dashboard_bench(plan, store=store, report=tell)
    if page is not None:
        given = [word for word, wanted in (("--quick", quick),) if wanted]
        given += [f"--readers={readers}"] * (readers != 30) + [f"--think={think:g}"] * (think != 5.0)
        given += [] if reruns is None else [f"--reruns={reruns}"]
        write_page(found, page, command_line("medcam", "bench", "dashboard", *given, "--page", page))
    if as_json:
        say(json.dumps([figure.to_json() for figure in found.figures]))
    else:
        show(_table(found.figures))


@app.command()
def service(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    clients: Annotated[int, typer.Option(metavar="N", help="Clients that hand in film after film.", min=1)] = 50,
    films: Annotated[int, typer.Option(metavar="N", help="Films of each of them.", min=1)] = 4,
    flood: Annotated[
        int, typer.Option(metavar="N", help="Films of one more client, all handed in at once.", min=1)
    ] = 40,
    size: Annotated[int, typer.Option(metavar="PX", help="Side of the films in pixels.", min=64)] = 1024,
    workers: Annotated[int, typer.Option(metavar="N", help="Worker processes.", min=1)] = 1,
) -> None:
    """Load-test the HTTP API: many clients at a real server, beside the batch pipeline on the same films."""
    from medcam.experiments.bench.service.run import ServicePlan, run_service_bench

    plan = ServicePlan(clients=clients, films=films, flood=flood, size=size, workers=workers)
    with stoppable("What was measured so far is lost."):
        found = run_service_bench(plan, report=tell)
    if as_json:
        say(json.dumps([figure.to_json() for figure in found]))
    else:
        show(_table(found))


def _table(figures: tuple[Figure, ...]) -> Table:
    table = Table("figure", "value", "95 % interval", "unit", "target", "n", box=None)
    for one in figures:
        known = one.to_json()
        value, low, high, target = (
            "-" if known[name] is None else f"{known[name]:.2f}" for name in ("value", "low", "high", "baseline")
        )
        between = "-" if "-" in (low, high) else f"{low} to {high}"
        table.add_row(one.name, value, between, one.unit, target, str(one.n))
    return table
