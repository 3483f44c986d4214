"""The wrong answers over a labelled folder as figures and as a folder: a page, pictures, `errors.json` last."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from medcam.core.card import FindingCard, ModelCard
from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.evaluate.triage import RULES, Cause, Mistake
from medcam.models.registry import load_model
from medcam.overlay.overlay import draw_overlay
from medcam.overlay.png import save_png
from medcam.service.atomic import write_text
from medcam.service.evaluation.cohort import Cohort, CohortFilm
from medcam.service.evaluation.error_figures import ErrorFigures, FindingErrors
from medcam.service.evaluation.error_page import index_page
from medcam.service.evaluation.errors import Answers, FilmError, film_errors
from medcam.service.find_text import TextFinder
from medcam.service.output_errors import writing

INDEX, FIGURES, PICTURES = "index.md", "errors.json", "pictures"
PICTURE_SIDE = 768
"""Pixels along the longer side of a film as drawn."""


def evaluate_errors(
    folder: Path | str,
    model: str | Path = "phantom",
    *,
    out: Path | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> ErrorFigures:
    """Every false positive and false negative over a labelled folder, with the likely reason.

    Args:
        folder: See `Cohort`.
        model: Name or folder of a model with a ledger.
        out: Where pictures, `index.md` and `errors.json` go; None writes nothing. `errors.json` comes last.
        progress: Called with (films done, films in all).

    Raises:
        UsageError: The folder is no cohort, or has no labels of the model's findings (code `no-labels`).
        ModelError: There is no such model, or its head has no ledger (code `no-ledger`).
        OutputError: The disk refuses the results.
    """
    cohort, loaded = Cohort(Path(folder)), load_model(model)
    if not cohort.labelled:
        raise _no_labels(cohort.folder.name)
    if out is not None:
        with writing():
            (out / PICTURES).mkdir(parents=True, exist_ok=True)
            (out / FIGURES).unlink(missing_ok=True)

    def told() -> Iterable[CohortFilm]:
        for done, film in enumerate(cohort, start=1):
            yield film
            progress(done, len(cohort))

    answers, errors = Answers(), list[Mapping[str, object]]()
    for error in film_errors(told(), loaded, answers, find_text=TextFinder.load()):
        errors.append(_record(error, None if out is None else _draw(out, len(errors) + 1, error, loaded.card)))
    if not answers.compared:
        raise _no_labels(cohort.folder.name)
    figures = ErrorFigures(
        model=loaded.card.name,
        weights_sha256=loaded.card.weights_sha256,
        films=answers.films,
        rules=RULES,
        findings=_findings(answers, errors),
        errors=tuple(errors),
        skipped=dict(cohort.skipped),
    )
    if out is not None:
        with writing():
            write_text(out / INDEX, index_page(figures))
            write_text(out / FIGURES, json.dumps(figures.as_dict(), indent=1))
    return figures


def _no_labels(name: str) -> UsageError:
    return UsageError(
        f"{name} has no labels of the model's findings, so that no answer is right or wrong",
        code="no-labels",
        next_step="Put a labels.csv beside the films, with a column per finding as the model names it.",
    )


def _record(error: FilmError, picture: str | None) -> Mapping[str, object]:
    ledger = error.evidence
    return {
        "film": error.film,
        "finding": error.finding,
        "mistake": error.mistake.value,
        "cause": error.cause.value,
        "probability": error.probability,
        "threshold": error.threshold,
        "margin": error.margin,
        "places": asdict(error.places),
        "marks": "known" if error.marks_known else "looked for",
        "evidence": {
            "bias": ledger.bias,
            "total_positive": ledger.total_positive,
            "total_negative": ledger.total_negative,
            "zones": None if ledger.zones is None else dict(ledger.zones),
            "zones_source": ledger.zones_source.value,
            "zones_quality": ledger.zones_quality,
        },
        "picture": picture,
    }


def _draw(out: Path, number: int, error: FilmError, card: ModelCard) -> str:
    """Draws an error; returns the picture's path in the folder, by number: names of films may tell too much."""
    explanation = error.seen.explanation
    cards: dict[str, FindingCard] = {each.name: each for each in card.findings}
    picture = draw_overlay(
        error.seen.film.radiograph,
        explanation.finding(error.finding),
        card=cards.get(error.finding),
        model=explanation.model,
        ood=explanation.out_of_distribution,
        long_side=PICTURE_SIDE,
    )
    name = f"{PICTURES}/{number:04d}-{slug(error.finding)}.png"
    with writing():
        save_png(out / name, picture)
    return name


def _findings(answers: Answers, errors: Iterable[Mapping[str, object]]) -> dict[str, FindingErrors]:
    found = {}
    for name, films in answers.compared.items():
        own = [error for error in errors if error["finding"] == name]
        mistakes = [error["mistake"] for error in own]
        causes = {cause.value: sum(error["cause"] == cause for error in own) for cause in Cause}
        found[name] = FindingErrors(
            films=films,
            present=answers.present[name],
            false_positives=mistakes.count(Mistake.FALSE_POSITIVE),
            false_negatives=mistakes.count(Mistake.FALSE_NEGATIVE),
            causes={cause: count for cause, count in causes.items() if count},
        )
    return found
