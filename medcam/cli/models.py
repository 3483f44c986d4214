"""`medcam models list`, `methods` and `show`: which models there are, and what their cards say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from medcam.cli.console import say, show
from medcam.core.errors import ModelError

if TYPE_CHECKING:
    from rich.table import Table

    from medcam.core.card import Interval, ModelCard

app = typer.Typer(help="List, show, compare, fetch, import and export models.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


@app.command("list")
def list_models(json: _Json = False) -> None:
    """List the models that can be named with --model."""
    from json import dumps

    from rich.table import Table

    cards = _cards()
    if json:
        typer.echo(dumps([_summary(name, card) for name, card in cards.items()], indent=1, ensure_ascii=False))
        return
    table = Table("name", "version", "findings", "what for", "measured")
    for name, card in cards.items():
        if isinstance(card, ModelError):
            table.add_row(name, "", "", f"cannot be used: {card.message}", "")
        else:
            findings = ", ".join(card.finding_names)
            table.add_row(_marked(name), card.version, findings, card.intended_use, _measured(card))
    if cards:
        show(table)
    else:
        say("No model is installed. `medcam train` makes one; its folder can be named with --model.")
    _tell_published(set(cards))


def _marked(name: str) -> str:
    from medcam.models.cards import DEFAULT_MODEL

    return f"{name} (default)" if name == DEFAULT_MODEL else name


def _measured(card: ModelCard) -> str:
    """What was measured, and on what."""
    figures = "; ".join(f"{name} {_interval(interval)}" for name, interval in card.performance.items())
    return (
        " ".join(text for text in (f"{figures}." if figures else "", card.measured_on) if text) or "not measured here"
    )


def _tell_published(here: set[str]) -> None:
    from medcam.models.published.catalogue import catalogue

    absent = [name for name in catalogue() if name not in here]
    if absent:
        say(f"Published by others, for `medcam models fetch NAME`: {', '.join(absent)}.")


@app.command("methods")
def list_methods(json: _Json = False) -> None:
    """List the attribution methods that can be named with --method."""
    from dataclasses import asdict
    from json import dumps

    from rich.table import Table

    from medcam.cam.methods.registry import method_cards

    cards = method_cards()
    if json:
        typer.echo(dumps([asdict(card) for card in cards], indent=1, ensure_ascii=False))
        return
    table = Table("name", "units", "signed", "work beside the forward pass", "source")
    for card in cards:
        note = " (a known-bad control)" if card.control else ""
        table.add_row(card.name + note, str(card.units), "yes" if card.signed else "no", card.passes, card.source)
    show(table)


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `medcam models list`, or a model's folder.")],
    json: _Json = False,
) -> None:
    """Show a model's card: findings with thresholds and measured figures, intended use, limits, training."""
    from medcam.models.card_json import card_to_json
    from medcam.models.cards import read_card

    card = read_card(name)
    if json:
        typer.echo(card_to_json(card), nl=False)
        return
    say(f"{card.name} {card.version}")
    for title, text in _facts(card):
        if text:
            say(f"{title}: {text}")
    show(_findings(card))
    for name_of_figure, interval in card.performance.items():
        say(f"{name_of_figure}: {_interval(interval)}")
    say(f"Intended use: {card.intended_use}")
    for limit in card.limits:
        say(f"Limit: {limit}")


def _cards() -> dict[str, ModelCard | ModelError]:
    """Cards by name, of models and of probes beside their models; a damaged one does not hide the others."""
    from medcam.models.cards import probe_names, read_card
    from medcam.models.known import model_names

    cards: dict[str, ModelCard | ModelError] = {}
    for name in (*model_names(), *(_with_model(probe) for probe in probe_names())):
        try:
            cards[name] = read_card(name)
        except ModelError as error:
            cards[name] = error
    return cards


def _with_model(probe: str) -> str:
    """The name under which a probe can be used."""
    from medcam.models.cards import find_probe
    from medcam.models.probes.files import read_probe_card

    try:
        return f"{read_probe_card(find_probe(probe)).model}+{probe}"
    except ModelError:
        return f"+{probe}"


def _summary(name: str, card: ModelCard | ModelError) -> dict[str, Any]:
    if isinstance(card, ModelError):
        return {"name": name, "error": card.code}
    from dataclasses import asdict

    from medcam.models.cards import DEFAULT_MODEL

    return {
        "name": name,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "findings": list(card.finding_names),
        "intended_use": card.intended_use,
        "default": name == DEFAULT_MODEL,
        "performance": {figure: asdict(interval) for figure, interval in card.performance.items()},
        "measured_on": card.measured_on,
        "weights_licence": card.weights_licence,
        "origin": card.origin,
    }


def _facts(card: ModelCard) -> tuple[tuple[str, str], ...]:
    recipe, gate = card.input, card.out_of_distribution_threshold
    return (
        ("Weights SHA-256", card.weights_sha256),
        ("Network", f"{card.backbone}, head {card.head}, maps at {card.layer}"),
        (
            "Input",
            f"{recipe.channels} x {recipe.height} x {recipe.width}, intensity {recipe.intensity}, fit {recipe.fit}"
            + ("" if recipe.black is None else f", black {recipe.black:g}, white {recipe.white:g}"),
        ),
        ("Out of distribution", "no gate" if gate is None else f"flagged over a score of {gate:.3g}"),
        ("Trained on", card.training_data),
        ("Licence of the data", card.training_licence),
        ("Trained by", card.training_command),
        ("Measured", card.measured_on),
        ("From", card.origin),
        ("Licence of the weights", card.weights_licence),
        ("Cite", card.citation),
    )


def _findings(card: ModelCard) -> Table:
    from rich.table import Table

    figures = list(dict.fromkeys(figure for finding in card.findings for figure in finding.performance))
    table = Table("finding", "code", "threshold", *figures)
    for finding in card.findings:
        code = f"{finding.code.scheme} {finding.code.value}" if finding.code else ""
        measured = [
            _interval(finding.performance[figure]) if figure in finding.performance else "" for figure in figures
        ]
        table.add_row(finding.name, code, f"{finding.threshold:.3f}", *measured)
    return table


def _interval(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


from medcam.cli import models_compare as _models_compare  # noqa: E402, F401  adds its command to `app`
from medcam.cli import models_exchange as _models_exchange  # noqa: E402, F401  adds its commands to `app`
