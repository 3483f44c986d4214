"""`medcam phantom`: synthetic radiographs with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medcam.cli.console import command_line, progress, say, stoppable
from medcam.core.explanation import RESEARCH_USE

app = typer.Typer(help="Make synthetic radiographs whose truth is known.", no_args_is_help=True)


@app.callback()
def phantom() -> None:
    """Make synthetic radiographs whose truth is known."""


@app.command()
def make(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where they go; made if absent.")],
    count: Annotated[int, typer.Option(metavar="N", help="How many films.")],
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed and options give the same bytes.")],
    size: Annotated[int, typer.Option(metavar="PX", help="Pixels per side, 64 to 4096.")] = 512,
    prevalence: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Probability of each finding, 0 to 1. Without it a quarter of the films is normal and each finding "
            "is on about 19 %.",
        ),
    ] = None,
    finding: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Put exactly this finding on every film; may be repeated."),
    ] = None,
    codec: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How pixels are stored, always lossless: uncompressed, rle, jpeg-ls, jpeg-2000, or mix: all in turn.",
        ),
    ] = "mix",
    workers: Annotated[int, typer.Option(metavar="N", help="Processes that render.")] = 1,
    masks: Annotated[bool, typer.Option("--masks/--no-masks", help="Write masks of findings and anatomy.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON on standard output.")] = False,
) -> None:
    """Make synthetic chest radiographs as DICOM, with masks, boxes and reports in truth.json. No patient was imaged.

    Research use. Not a medical device. A run that was stopped goes on when the same command is given again.
    """
    with stoppable("What was finished is kept: give the same command again to go on."), progress("phantoms") as step:
        from medcam.service.phantoms.make_phantoms import make_phantoms

        truth = make_phantoms(
            out,
            count,
            seed,
            size=size,
            prevalence=prevalence,
            findings=finding or (),
            codec=codec,
            masks=masks,
            workers=workers,
            progress=lambda done, total: step(done, total, ""),
        )
    tally = _tally(out)
    if json:
        from json import dumps

        typer.echo(dumps({"truth": str(truth), "films": count, "findings": tally}, indent=1))
        return
    say(f"{count} films in {out}, their truth in {truth.name}. {RESEARCH_USE}")
    for name, films in tally.items():
        say(f"  {name}: {films}")
    say(f"Annotate them: {command_line('medcam', 'annotate', out, '--out', 'out')}")


def _tally(out: Path) -> dict[str, int]:
    """How many films have each finding, and how many none."""
    from collections import Counter

    from medcam.service.phantoms.truth import read_truth

    films = Counter(name for film in read_truth(out).values() for name in film.names or ("no finding",))
    return dict(sorted(films.items()))
