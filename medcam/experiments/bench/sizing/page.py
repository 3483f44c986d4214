"""The page with the sizes, written by `medcam bench sizing` and by nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import fill

from medcam.experiments.bench.performance.record import PartRecord
from medcam.experiments.bench.pipeline.meter import ENGINE, OPEN, STAGES
from medcam.experiments.bench.sizing.sizes import CPU, GPU, JSON, MACHINES, Archive, FilmCost
from medcam.experiments.tables import table
from medcam.service.atomic import write_text

_WORDS = {"json": "`--write json`", "objects": "`--write json,sc,seg,sr`"}


def write_sizes(path: Path, text: str) -> None:
    """Writes the page.

    Raises:
        OSError: The disk refuses it.
    """
    write_text(path, text)


def sizing_page(costs: Mapping[str, FilmCost], archive: Archive, part: PartRecord, command: str) -> str:
    """The page's text.

    Args:
        costs: Of a film, by what is written.
        archive: What is to be annotated.
        part: The measurement that the costs come from.
        command: How the page is made again.
    """
    found = part.found
    blocks = [
        "# How many machines an archive needs",
        f"""Computed from what one film of {found["side"]} x {found["side"]} pixels, in a mix of lossless codecs,
        was measured to cost with the model `{found["model"]}` on the engine {found["engine"]}. See [how to run on many
        machines](../how-to/run-on-many-machines.md).""",
        "## What one film costs",
        table(("processor seconds of a film", *(_WORDS[outputs] for outputs in costs)), _film_rows(costs)),
        f"""On a cluster every file is opened twice, once to know its UID and once to annotate it; that is in the sum.
        The share of the cores' time that a run makes use of was measured on one machine of {found["cores"]} cores.
        The time of Ray itself is not in it: it moves names and outcomes alone, in blocks of films.""",
        f"## {archive.studies:,} studies of {archive.films:g} frontal film{'' if archive.films == 1 else 's'}",
        table(_header(costs), _archive_rows(costs, archive)),
        _told_of_it(costs, archive),
        "## How it was made",
        f"""By `{command}`, from figures of {part.made} with medcam {part.version}: {part.machine["processor"]},
        {part.machine["cores"]} cores, {found["rounds"]} round{"" if found["rounds"] == 1 else "s"}
        of {found["round_films"]} films, load average {part.load:.1f} as it began. Processor seconds are what is told,
        which other programs on the machine change less than times by the clock.""",
    ]
    return "\n\n".join(_prose(block) for block in blocks) + "\n"


def _film_rows(costs: Mapping[str, FilmCost]) -> list[tuple[str, ...]]:
    rows = [(stage, *(f"{cost.stages[stage]:.3f}" for cost in costs.values())) for stage in STAGES]
    return [
        *rows,
        (f"{OPEN}, the second time", *(f"{cost.stages[OPEN]:.3f}" for cost in costs.values())),
        ("**sum**, on cores alone", *(f"**{cost.seconds(CPU):.3f}**" for cost in costs.values())),
        (f"sum without the {ENGINE}", *(f"{cost.seconds(GPU):.3f}" for cost in costs.values())),
        ("share of the cores' time that is used", *(f"{cost.efficiency:.0%}" for cost in costs.values())),
    ]


def _header(costs: Mapping[str, FilmCost]) -> list[str]:
    return ["machines", *(f"{_WORDS[outputs]}, {device}" for outputs in costs for device in (CPU, GPU))]


def _archive_rows(costs: Mapping[str, FilmCost], archive: Archive) -> list[list[str]]:
    told = [(cost.machine_hours(archive, device), device) for cost in costs.values() for device in (CPU, GPU)]

    def row(name: str, say: Callable[[float], str], share: float = 1.0) -> list[str]:
        return [name, *(f"{'' if device == CPU else '>= '}{say(hours * share)}" for hours, device in told)]

    rows = [row(f"{machines} of {archive.cores} cores", _time, 1 / machines) for machines in MACHINES]
    rows.append(row("machine-hours", "{:,.0f}".format))
    if math.isfinite(archive.price):
        rows.append(row(f"at {archive.price:g} for a machine-hour", "{:,.0f}".format, archive.price))
    return rows


def _told_of_it(costs: Mapping[str, FilmCost], archive: Archive) -> str:
    cost = costs[JSON]
    share = cost.stages[ENGINE] / cost.seconds(CPU)
    money = "" if math.isfinite(archive.price) else " Machine-hours times your price are the money; `--price` does it."
    return f"""**The columns with a GPU are lower bounds, not measurements**: the machine of these figures has none.
    They are what the cores still have to do once the model is off them, and would hold if a GPU were never waited for.
    The model is {share:.0%} of what a film costs with `--write json`, so that a GPU can save no more than that:
    decoding and anatomy stay with the cores. Machines share the work without talking to each other, so
    that hours fall with their number for as long as the storage feeds them.{money}"""


def _time(hours: float) -> str:
    return f"{hours / 24:.1f} d" if hours >= 48 else f"{hours:.1f} h"


def _prose(block: str) -> str:
    if block.startswith(("#", "|")):
        return block
    return fill(" ".join(block.split()), 140, break_long_words=False, break_on_hyphens=False)
