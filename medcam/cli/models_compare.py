"""`medcam models compare`: what two models said of the same films."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import progress, say, show, stoppable
from medcam.cli.evaluate_record import Out, Source, give
from medcam.cli.models import app

if TYPE_CHECKING:
    from rich.table import Table

    from medcam.evaluate.agreement_figure import Figure
    from medcam.service.evaluation.two_models_record import ComparedFinding, ComparedModels

_LISTED = 3


@app.command("compare")
def compare(
    record: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECORD]...",
            help="What `medcam annotate` wrote with two models: one DIR, two results folders, or a store.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help='Which two, in order, where the record holds more; a name, or "NAME VERSION" in a store. Twice.',
        ),
    ] = None,
    source: Source = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="labels.csv, or truth in any format of `medcam evaluate localisation`."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--id", metavar="NAME", help="How labels find films: file-name, path or sop-instance-uid."),
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="LABEL=MODEL", help="What the models call a finding; repeatable.")
    ] = None,
    out: Out = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")] = False,
) -> None:
    """Compare what two models said of the films that both explained: scores, calls, maps, and the AUC beside labels.

    Findings are matched by code, else by name. Intervals are 95 %, with patients as the unit. Agreement is not
    accuracy: two models may be wrong together.
    """
    from medcam.cli.evaluate_localisation import film_id, finding_names
    from medcam.service.evaluation.labels import read_labels
    from medcam.service.evaluation.two_models import compare_models
    from medcam.service.evaluation.two_models_named import observe_two

    with stoppable("Run the same command again."):
        truth = None if labels is None else read_labels(labels, finding_names(rename or []), film_id(by))
        with progress("read") as step:
            pair = observe_two(record or [], model or [], source or [], lambda done, total: step(done, total, ""))
        with progress("compare") as step:
            found = compare_models(*pair, truth, seed=seed, progress=lambda done, total: step(done, total, ""))
    give(found.as_dict(), out, as_json=as_json)
    if not as_json:
        _show(found)


def _show(found: ComparedModels) -> None:
    for side, one, alone in (("A", found.first, found.first_only), ("B", found.second, found.second_only)):
        flagged = f", {one['flagged']} films flagged as unlike its training films" if one["flagged"] else ""
        say(f"{side}: {one['name']} {one['version']}, {one['method']}, {one['engine']}; {alone} films alone{flagged}")
    say(f"{found.films} films of {found.patients} patients were explained by both.")
    if found.other_file:
        say(f"{found.other_file} films are left out: each was given another file of the same UID.")
    show(_agreement(found))
    show(_places(found))
    if found.labels is not None:
        show(_areas(found))
    show(_apart(found))
    for side, name in (("first", "A"), ("second", "B")):
        if found.unmatched[side]:
            say(f"Known to {name} alone: {', '.join(found.unmatched[side])}.")
    if found.labels is not None:
        say("p: no difference of the areas (DeLong); adjusted by Holm over all findings.")
    say("Agreement is not accuracy: two models may be wrong together. Research use. Not a medical device.")


def _agreement(found: ComparedModels) -> Table:
    from rich.table import Table

    table = Table("finding", "rank correlation", "B - A, probability", "kappa", "both / A / B / neither", "withheld")
    table.title, table.title_justify = "Scores, and calls at each model's operating point", "left"
    for one in found.findings:
        calls = one.calls
        counts = f"{calls.both} / {calls.first_only} / {calls.second_only} / {calls.neither}"
        scores = one.scores
        cells = (_figure(scores.correlation), _figure(scores.difference, signed=True), _figure(calls.kappa))
        table.add_row(_name(one), *cells, counts, str(one.withheld))
    return table


def _places(found: ComparedModels) -> Table:
    from rich.table import Table

    table = Table("finding", "correlation of maps", "of other films' maps", "IoU of regions", "IoU where both call it")
    table.title, table.title_justify = "Maps and regions", "left"
    for one in found.findings:
        figures = (one.map_correlation, one.chance, one.region_iou, one.region_iou_both)
        table.add_row(_name(one), *map(_figure, figures))
    return table


def _areas(found: ComparedModels) -> Table:
    from rich.table import Table

    table = Table("finding", "films", "AUC of A", "AUC of B", "B - A", "p", "adjusted")
    table.title, table.title_justify = "Beside the labels", "left"
    for one in found.findings:
        if one.areas is None:
            table.add_row(_name(one), "", "no label", "", "", "", "")
            continue
        areas = one.areas
        cells = (_figure(areas.first), _figure(areas.second), _figure(areas.difference, signed=True))
        table.add_row(_name(one), str(areas.first.cases), *cells, _p(areas.p), _p(areas.adjusted_p))
    return table


def _apart(found: ComparedModels) -> Table:
    from rich.table import Table

    table = Table("finding", "film", "A", "B", "maps", "regions")
    table.title, table.title_justify = "Where they are furthest apart", "left"
    for one in found.findings:
        for film in one.apart[:_LISTED]:
            places = (_value(film.map_correlation), _value(film.region_iou))
            table.add_row(_name(one), film.film, f"{film.first:.3f}", f"{film.second:.3f}", *places)
    return table


def _name(one: ComparedFinding) -> str:
    return one.first_name if one.first_name == one.second_name else f"{one.first_name} = {one.second_name}"


def _figure(figure: Figure, *, signed: bool = False) -> str:
    if figure.value is None:
        return "-"
    shown = "+.2f" if signed else ".2f"
    ends = "" if figure.low is None else f" ({figure.low:{shown}} to {figure.high:{shown}})"
    return f"{figure.value:{shown}}{ends}"


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _p(p: float | None) -> str:
    return "-" if p is None else f"{p:.3f}" if p >= 0.001 else "< 0.001"
