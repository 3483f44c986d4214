"""`medcam bench`: how long things take on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from medcam.cli.bench_sizing import sizing
from medcam.cli.console import command_line, say, show, stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.experiments.bench.figure import Figure

app = typer.Typer(help="Measure how long things take on this machine.", invoke_without_command=True)


@app.callback()
def bench(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer sizes and rounds: five minutes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART", help="This part alone: cost, engines, programs, pipeline, service; may be repeated."
        ),
    ] = None,
    write_page: Annotated[
        bool, typer.Option("--write-page", help="Write docs/explanation/performance.md and its record.")
    ] = False,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page there instead.", show_default="no page")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Measure nothing, take a record.", show_default="measure"),
    ] = None,
) -> None:
    """Measure how long things take on this machine: maps, engines and whole programs, beside their peers."""
    if context.invoked_subcommand is not None:
        return
    from medcam.cli.bench_performance import bench_performance
    from medcam.experiments.bench.performance.page import PAGE

    place = page or (PAGE if write_page else None)
    found = bench_performance(quick=quick, only=only or (), page=place, record=record)
    if as_json:
        say(json.dumps([figure.to_json() for figure in found]))
    else:
        show(_table(found))


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
    workers: Annotated[int, typer.Option(metavar="N", help="Worker processes of one thread.", min=1)] = 2,
    rounds: Annotated[int, typer.Option(metavar="N", help="Rounds of both in turns.", min=1)] = 1,
) -> None:
    """Load-test the HTTP API: many clients at a real server, beside the batch pipeline on the same films."""
    from medcam.experiments.bench.service.run import ServicePlan, run_service_bench

    plan = ServicePlan(clients=clients, films=films, flood=flood, size=size, workers=workers, rounds=rounds)
    with stoppable("What was measured so far is lost."):
        found = run_service_bench(plan, report=tell)
    if as_json:
        say(json.dumps([figure.to_json() for figure in found]))
    else:
        show(_table(found))


@app.command()
def pipeline(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer films and one round: a first look.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    films: Annotated[
        int | None, typer.Option(metavar="N", help="Files of the long run.", min=10, show_default="10000, quick 60")
    ] = None,
    size: Annotated[int, typer.Option(metavar="PX", help="Side of the films in pixels.", min=64)] = 2048,
    rounds: Annotated[
        int | None, typer.Option(metavar="N", help="Rounds of measurements.", min=1, show_default="4, quick 1")
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="A model's name or folder.")] = "phantom",
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Threads of a run.", min=1, show_default="as annotate")
    ] = None,
) -> None:
    """Measure `medcam annotate`: its stages, the model alone, whole runs, and memory over a long run."""
    from medcam.experiments.bench.pipeline.plan import PipelineSettings, quick_settings
    from medcam.experiments.bench.pipeline.run import pipeline_figures

    settings = replace(quick_settings() if quick else PipelineSettings(), side=size, model=model, report=tell)
    settings = replace(
        settings,
        films=films or settings.films,
        rounds=rounds or settings.rounds,
        workers=workers or settings.workers,
    )
    with stoppable("What was measured so far is lost."):
        found = pipeline_figures(settings)
    if as_json:
        say(json.dumps([figure.to_json() for figure in found.figures]))
    else:
        tell(f"{found.machine['processor']}, {found.cores} cores, {found.engine}, {settings.rounds} rounds")
        show(_table(found.figures))


app.command()(sizing)


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
