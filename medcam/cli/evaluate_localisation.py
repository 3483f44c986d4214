"""`medcam evaluate localisation`: on phantoms, or against anybody's boxes and masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import progress, say, show, stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.core.card import Interval
    from medcam.service.evaluation.localisation import Localisation
    from medcam.service.evaluation.shown_places import ShownFilms
    from medcam.service.evaluation.true_places import Id
    from medcam.service.measure.model import ModelFigures


def localisation(
    films: Annotated[
        Path | None, typer.Argument(metavar="[FILMS]", help="A film or a folder of films: DICOM, PNG or JPEG.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Where findings truly are: a table (NIH, RSNA, SIIM, plain boxes), JSON (CheXlocalize, COCO), a "
            "folder of masks or of phantoms. Without it the model is measured on new phantoms.",
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Measure what was made before: a folder of `medcam annotate`, of heat maps, or places in a file.",
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Name or folder of a model.")] = "phantom",
    method: Annotated[str | None, typer.Option(help="Attribution method, see `medcam models methods`.")] = None,
    by: Annotated[
        str | None,
        typer.Option("--id", metavar="NAME", help="How films are found: file-name, path or sop-instance-uid."),
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="TRUTH=MODEL", help="What the model calls a finding; repeatable.")
    ] = None,
    rule: Annotated[
        str, typer.Option(help="How maps become regions: tuned, paper, model, otsu, or a share of the peak.")
    ] = "tuned",
    tune_share: Annotated[
        float, typer.Option(help="Share of the patients that tuned rules are chosen on and not measured on.")
    ] = 0.3,
    split_seed: Annotated[int, typer.Option(help="Another seed parts the patients otherwise.")] = 0,
    sizes: Annotated[
        str, typer.Option(metavar="A,B", help="Shares of the film that part small, medium and large findings.")
    ] = "0.01,0.05",
    only_present: Annotated[
        bool, typer.Option("--only-present", help="A finding that the model calls absent shows nothing.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write localisation.json, films.csv and localisation.md there.")
    ] = None,
    count: Annotated[int, typer.Option(help="Without truth: phantoms to measure on.", min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Their seed; the shipped model has seen 101, 202 and 303.", min=0)] = 404,
    size: Annotated[int, typer.Option(help="Side of the rendered films in pixels.", min=64)] = 512,
    workers: Annotated[int, typer.Option(help="Processes that make phantoms.", min=1)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable figures.")] = False,
) -> None:
    """How well maps and regions agree with where findings truly are: on new phantoms, or with --truth on any films.

    On phantoms AUC counts films with a moderate or plain finding against films without. Everywhere a hit is a peak in
    the truth, and IoU counts every film with the finding. Intervals are 95 % bootstrap intervals over patients.
    """
    if truth is None:
        if films is not None or predictions is not None:
            raise UsageError("films and predictions are measured against a truth", next_step="Name it with --truth.")
        _phantoms(model, count, seed, size, workers, as_json=as_json)
        return
    from medcam.service.evaluation.localisation import Plan, evaluate_localisation
    from medcam.service.evaluation.localisation_files import as_dict, write_localisation
    from medcam.service.evaluation.true_places import read_places

    plan = Plan(rule, tune_share, split_seed, _sizes(sizes), only_present)
    with stoppable("Run the same command again."), progress("films") as step:
        done = evaluate_localisation(
            read_places(truth, film_id(by), finding_names(rename or [])),
            _shown(films, predictions, model, method),
            plan,
            progress=lambda done, total: step(done, total, ""),
        )
    if out is not None:
        write_localisation(done, out)
    if as_json:
        say(json.dumps(as_dict(done), indent=1))
    else:
        _show_places(done, out)


def _shown(films: Path | None, predictions: Path | None, model: str, method: str | None) -> ShownFilms:
    from medcam.models.registry import load_model
    from medcam.service.evaluation.shown_files import predicted_films
    from medcam.service.evaluation.shown_places import ModelFilms

    if (films is None) == (predictions is None):
        raise UsageError("either films or --predictions are measured", next_step="Name one of them.")
    if predictions is not None:
        return predicted_films(predictions)
    assert films is not None
    return ModelFilms(films, load_model(model), method)


def film_id(text: str | None) -> Id | None:
    """How films are found, as named on the command line."""
    from medcam.service.evaluation.true_places import Id

    if text is None:
        return None
    try:
        return Id(text)
    except ValueError:
        raise UsageError(f"there is no --id {text!r}", next_step=f"Choose {', '.join(Id)}.") from None


def finding_names(pairs: list[str]) -> dict[str, str]:
    """Findings that the model calls otherwise, as named on the command line."""
    names = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(names) < len(pairs) or not all(map(all, names.items())):
        raise UsageError("--rename takes TRUTH=MODEL", next_step='For example --rename "Lung Opacity=Consolidation".')
    return names


def _sizes(text: str) -> tuple[float, float]:
    try:
        small, large = (float(word) for word in text.split(","))
    except ValueError:
        raise UsageError("--sizes takes two shares of the film", next_step="For example 0.01,0.05.") from None
    return small, large


def _show_places(done: Localisation, out: Path | None) -> None:
    from rich.table import Table

    from medcam.service.evaluation.localisation_files import PAGE, notes, rule_text, short_table

    title = ", ".join(done.shown[name] for name in ("kind", "model", "method") if name in done.shown)
    page = Table(title=f"{title} against {done.truth['format']}: {done.measured_films} films")
    headings, *rows = short_table(done)
    for column in headings:
        page.add_column(column, justify="left" if column == "finding" else "right")
    for row in rows:
        page.add_row(*row)
    show(page)
    for name, used in done.rules.items():
        say(f"{name}: rule {rule_text(used)}")
    for note in notes(done):
        say(note)
    if out is not None:
        tell(f"More in {out / PAGE}")


def _phantoms(model: str, count: int, seed: int, size: int, workers: int, *, as_json: bool) -> None:
    from medcam.service.measure.model import PhantomStudy, measure_on_phantoms

    with progress("phantoms") as step:
        figures = measure_on_phantoms(
            model, PhantomStudy(seed, count, size), workers=workers, progress=lambda done, total: step(done, total, "")
        )
    if as_json:
        say(json.dumps(figures.as_dict(), indent=1))
    else:
        _show(figures)


def _show(figures: ModelFigures) -> None:
    from rich.table import Table

    study = figures.study
    table = Table(title=f"{figures.model} on {study.count} phantoms of seed {study.seed} at {study.size} px")
    for column in ("finding", "n", "AUC", "AUC, subtle", "pointing", "IoU, calibrated", "IoU, paper's rule"):
        table.add_column(column, justify="left" if column == "finding" else "right")
    for name, row in figures.findings.items():
        cells = (row.auc, row.auc_subtle, row.pointing, row.iou, row.iou_paper)
        table.add_row(name, str(row.n), *(_cell(cell) for cell in cells))
    table.add_section()
    everything = (figures.pointing, figures.iou, figures.iou_paper)
    found = str(sum(row.n for row in figures.findings.values()))
    mean_auc = "-" if figures.mean_auc is None else f"{figures.mean_auc:.3f}"
    table.add_row("all", found, mean_auc, "", *(_cell(cell) for cell in everything))
    show(table)
    say(f"Expected calibration error {figures.calibration_error:.4f}")
    if figures.false_alarms is not None:
        say(f"Flagged as out of distribution: {figures.false_alarms:.1%}")


def _cell(figure: Interval | None) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})" if figure else "-"
