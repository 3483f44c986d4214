"""`medcam bench sizing`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from medcam.cli.console import command_line, say, stoppable, tell
from medcam.core.errors import UsageError


def sizing(
    studies: Annotated[int, typer.Option(metavar="N", help="Studies of the archive.", min=1)] = 1_000_000,
    films: Annotated[float, typer.Option(metavar="N", help="Frontal films of each study.")] = 1.0,
    cores: Annotated[int, typer.Option(metavar="N", help="Cores of each machine.", min=1)] = 16,
    price: Annotated[
        float | None,
        typer.Option(metavar="PRICE", help="Of a machine for an hour, in any currency.", show_default="none"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer films and one round: a first look.")] = False,
    record: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Measure nothing, take a record.", show_default="measure"),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page too.", show_default="no page")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Compute how long an archive takes on so many machines, from what one film is measured to cost on this one."""
    from medcam.experiments.bench.performance.pipeline import figures
    from medcam.experiments.bench.sizing.measured import pipeline_part
    from medcam.experiments.bench.sizing.page import sizing_page, write_sizes
    from medcam.experiments.bench.sizing.sizes import Archive, film_costs, sizes

    archive = Archive(studies, films, cores, math.nan if price is None else price)
    if page is not None and not page.parent.is_dir():
        raise UsageError(f"there is no folder {page.parent} for the page", code="output-not-writable")
    with stoppable("What was measured so far is lost."):
        part = pipeline_part(record, quick=quick, report=tell)
    costs = film_costs(figures(part.found))
    told = ["--quick"] * quick + ([] if record is None else ["--from", str(record)])
    told += [] if page is None else ["--page", str(page)]
    text = sizing_page(costs, archive, part, command_line("medcam", "bench", "sizing", *told))
    if page is not None:
        write_sizes(page, text)
    if as_json:
        say(json.dumps([figure.to_json() for figure in sizes(costs, archive)]))
    else:
        say(text)
