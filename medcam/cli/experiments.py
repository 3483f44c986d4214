"""`medcam experiments`: the lecture's experiments, measured again, and their pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from medcam.cli.console import say, stoppable, tell
from medcam.core.errors import UsageError


def experiments(
    quick: Annotated[bool, typer.Option("--quick", help="Small networks and few films: a first look.")] = False,
    slice_: Annotated[
        bool, typer.Option("--slice", help="Smaller still: whether everything runs; the figures mean nothing.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="Run this one; repeat for several.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses the films that are measured on.", min=0)] = 0,
    out: Annotated[Path, typer.Option(help="Where pages and records go.")] = Path("docs/experiments"),
    work: Annotated[Path, typer.Option(help="Where films, checkpoints and finished parts are kept.")] = Path(
        "runs/experiments"
    ),
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of real films, for the experiments that need some (nih-opacity, nih-regions)."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure what is finished too.")] = False,
    workers: Annotated[
        int, typer.Option(help="Processes that render and train; 0 takes the cores there are.", min=0)
    ] = 0,
    threads: Annotated[
        int, typer.Option(help="CPU threads, shared by the processes that train; 0 leaves it to torch.", min=0)
    ] = 0,
    list_: Annotated[bool, typer.Option("--list", help="List the experiments and stop.")] = False,
) -> None:
    """Measures what the lecture on class activation maps claims, on radiographs, and writes a page on each claim.

    What is finished is kept, and a stopped run goes on.
    """
    from medcam.experiments.budget import Budget
    from medcam.experiments.every import EXPERIMENTS, ON_REAL_FILMS, chosen
    from medcam.experiments.experiment import Setting
    from medcam.experiments.run import run_experiments

    if list_:
        for each in (*EXPERIMENTS, *ON_REAL_FILMS):
            say(f"{each.name}: {each.title}")
        return
    if quick and slice_:
        raise UsageError("--quick and --slice exclude each other")
    setting = Setting(
        budget=Budget.SLICE if slice_ else Budget.QUICK if quick else Budget.FULL,
        seed=seed,
        work=work,
        workers=workers or os.cpu_count() or 1,
        threads=threads,
        data=data,
        report=tell,
    )
    with stoppable("The same command goes on where this one stopped."):
        say(str(run_experiments(chosen(only or ()), (*EXPERIMENTS, *ON_REAL_FILMS), setting, out, again=again)))
