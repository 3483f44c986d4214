"""`medcam probe`: a new finding from a few dozen films, without training a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import command_line, progress, say, stoppable, tell
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.core.card import Interval
    from medcam.models.probes.card import ProbeCard
    from medcam.service.probes.fit import ProbeReport, ProbeRequest

app = typer.Typer(help="Fit a linear detector for a new finding to a frozen model's features.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="Print the card as JSON on standard output.")]


@app.command()
def fit(
    name: Annotated[str, typer.Option(metavar="NAME", help="What the finding is called; --model MODEL+NAME uses it.")],
    positive: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Films with the finding: a folder, or a table of images.")
    ] = None,
    negative: Annotated[Path | None, typer.Option(metavar="PATH", help="Films without it.")] = None,
    phrase: Annotated[
        str, typer.Option(metavar="TEXT", help="Words of reports that make a film positive, where not negated.")
    ] = "",
    reports: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON Lines with image, report and, if known, patient_id.")
    ] = None,
    model: Annotated[str, typer.Option(help="Name or folder of the frozen model.")] = "phantom",
    layer: Annotated[str, typer.Option(help="The layer to read.", show_default="the backbone's last")] = "",
    method: Annotated[str, typer.Option("--classifier", metavar="NAME", help="svm or logistic.")] = "svm",
    seed: Annotated[int, typer.Option(help="Of folds, and of negatives drawn at random.", min=0)] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Fit a probe of that name anew.")] = False,
    json: _Json = False,
) -> None:
    """Fit a probe: globally average pooled features of a model and a linear SVM, cross-validated and calibrated.

    Its map shows what drove it, as that of a finding of the model itself. It is used with `--model phantom+NAME`.
    """
    from medcam.models.probes.card import METHODS
    from medcam.service.probes.fit import ProbeRequest

    by_hand, by_words = (positive, negative), (phrase, reports)
    if all(by_hand) == all(by_words) or (any(by_hand) and any(by_words)):
        raise UsageError(
            "name films with and without the finding, or a phrase and reports",
            next_step="Give --positive and --negative, or --phrase and --reports.",
        )
    if method not in METHODS:
        raise UsageError(f"there is no classifier {method!r}", next_step=f"Choose from {', '.join(METHODS)}.")
    words = ["medcam", "probe", "fit", "--name", name]
    for option, value in (
        ("--positive", positive and positive.name),
        ("--negative", negative and negative.name),
        ("--phrase", phrase),
        ("--reports", reports and reports.name),
        ("--layer", layer),
    ):
        words += [option, str(value)] if value else []
    words += ["--model", model, "--classifier", method, "--seed", str(seed)]
    request = ProbeRequest(
        name=name,
        model=model,
        layer=layer,
        method=method,
        phrase=phrase,
        seed=seed,
        command=command_line(*words),
        replace=replace,
    )
    with stoppable("Nothing was saved."):
        report = _by_words(reports, request) if reports else _by_hand(positive, negative, request)
    _show(report, as_json=json)


def _by_hand(positive: Path | None, negative: Path | None, request: ProbeRequest) -> ProbeReport:
    from medcam.service.probes.films import named_films
    from medcam.service.probes.fit import fit_probe

    assert positive is not None
    assert negative is not None
    present, absent = named_films(positive), named_films(negative)
    with progress("films") as step:
        return fit_probe(present, absent, request, lambda done, total: step(done, total, ""))


def _by_words(reports: Path, request: ProbeRequest) -> ProbeReport:
    from dataclasses import replace

    from medcam.service.probes.fit import fit_probe
    from medcam.service.probes.negation import Phrase
    from medcam.service.probes.reports import ROUNDS, read_reports, sort_by_phrase

    found = sort_by_phrase(read_reports(reports), Phrase(request.phrase))
    tell("reports: " + ", ".join(f"{count} {said}" for said, count in sorted(found.counts.items())))
    with progress("films") as step:
        return fit_probe(
            found.positives,
            found.negatives,
            replace(request, rounds=ROUNDS),
            lambda done, total: step(done, total, ""),
        )


@app.command("show")
def show_probe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `medcam models list`.")], json: _Json = False
) -> None:
    """Show a probe's card: what it was fitted to, how, and its figures."""
    from medcam.models.cards import find_probe
    from medcam.models.probes.card import probe_card_to_json
    from medcam.models.probes.files import read_probe_card

    card = read_probe_card(find_probe(name))
    if json:
        typer.echo(probe_card_to_json(card), nl=False)
    else:
        _say_card(card)


def _show(report: ProbeReport, *, as_json: bool) -> None:
    from medcam.models.probes.card import probe_card_to_json

    for name, code in report.skipped.items():
        tell(f"left out: {name} ({code})")
    if as_json:
        typer.echo(probe_card_to_json(report.card), nl=False)
        return
    _say_card(report.card)
    say(f"Use it: medcam annotate SOURCE --out DIR --model {report.card.model}+{report.card.name}")


def _say_card(card: ProbeCard) -> None:
    films = f"{card.positives} films with, {card.negatives} without, of {card.patients} patients"
    how = "linear SVM" if card.method == "svm" else "logistic regression"
    say(f"{card.name}: {how} on {card.layer} of {card.model}; {films}")
    if card.phrase:
        say(f"By the phrase {card.phrase!r} in reports; {card.rounds} rounds of hard negatives")
    for figure, interval in card.finding.performance.items():
        say(f"{figure}, cross-validated: {_interval(interval)}")
    say(f"Operating threshold on the probability: {card.finding.threshold:.3f}")
    for limit in card.limits:
        say(f"Limit: {limit}")
    say(card.intended_use)


def _interval(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f}-{interval.high:.3f})"
