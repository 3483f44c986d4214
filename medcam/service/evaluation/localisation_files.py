"""What a measurement of localisation becomes on disk: figures, one row per film, and a table to read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from medcam.core.explanation import RESEARCH_USE
from medcam.evaluate.agreement_figure import Figure
from medcam.evaluate.place_figures import PlaceFigures
from medcam.evaluate.place_scores import PlaceScore
from medcam.evaluate.tuning import Tuned
from medcam.service.atomic import write_text
from medcam.service.evaluation.localisation import Localisation
from medcam.service.output_errors import writing

FIGURES, FILMS, PAGE = "localisation.json", "films.csv", "localisation.md"
COLUMNS = (
    *("film", "finding", "true_share", "found_share", "iou", "dice", "iobb", "hit", "average_precision"),
    *("lesions", "candidates", "false_alarms", "probability"),
)
HEADINGS = (
    *("finding", "films with / judged", "patients", "IoU", "Dice", "IoBB", "hit rate"),
    *("random point", "AUPRC", "FROC", "rule"),
)


def as_dict(done: Localisation) -> dict[str, object]:
    """Plain values for JSON, without what is told film by film."""
    return {
        "schema_version": "1.0",
        "notice": RESEARCH_USE,
        "plan": asdict(done.plan),
        "truth": dict(done.truth),
        "shown": dict(done.shown),
        "tuning_films": done.tuning_films,
        "measured_films": done.measured_films,
        "rules": {name: asdict(rule) for name, rule in done.rules.items()},
        "findings": {name: asdict(figures) for name, figures in done.findings.items()},
        "not_shown": list(done.not_shown),
        "unmatched": dict(done.unmatched),
        "skipped": dict(done.skipped),
    }


def write_localisation(done: Localisation, out: Path) -> None:
    """Writes `films.csv`, `localisation.md` and, last, `localisation.json`.

    Raises:
        OutputError: The disk refuses them.
    """
    with writing():
        out.mkdir(parents=True, exist_ok=True)
        (out / FIGURES).unlink(missing_ok=True)
        write_text(out / FILMS, _films(done))
        write_text(out / PAGE, page(done))
        write_text(out / FIGURES, json.dumps(as_dict(done), indent=1, allow_nan=False) + "\n")


def table(done: Localisation) -> Iterator[tuple[str, ...]]:
    """Rows under `HEADINGS`, one per finding."""
    for name, one in done.findings.items():
        yield (
            name,
            f"{one.positives} / {one.films}",
            str(one.patients),
            *(figure_text(figure) for figure in (one.iou, one.dice, one.iobb, one.hit_rate)),
            "-" if one.true_share is None else f"{one.true_share:.2f}",
            figure_text(one.average_precision),
            "-" if one.froc is None else figure_text(one.froc.mean),
            rule_text(done.rules[name]),
        )


def short_table(done: Localisation) -> Iterator[tuple[str, ...]]:
    """Headings, then a row per finding: what fits on a terminal."""
    wanted = ("finding", "films with / judged", "IoU", "hit rate", "random point", "AUPRC", "FROC")
    places = [HEADINGS.index(name) for name in wanted]
    for row in (HEADINGS, *table(done)):
        yield tuple(row[place] for place in places)


def figure_text(figure: Figure) -> str:
    """A figure with its interval, or with the reason why there is none."""
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.2f} ({figure.doubt})"
    return f"{figure.value:.2f} ({figure.low:.2f}-{figure.high:.2f})"


def rule_text(rule: Tuned) -> str:
    """A rule in a few words, with what it was chosen on."""
    if rule.chosen:
        return f"{rule.cut.fraction:g} of the peak, chosen on {rule.films} films of {rule.patients} patients"
    return rule.cut.name if not rule.films else f"{rule.cut.name}: only {rule.patients} patients to choose on"


def notes(done: Localisation) -> Iterator[str]:
    """What must be said beside the table."""
    yield f"{done.measured_films} films measured; {done.tuning_films} films of other patients to choose rules on."
    if unknown := unknown_patients(done):
        yield unknown
    for what, count in done.unmatched.items():
        if count:
            yield f"{count} {what}."
    if done.not_shown:
        yield f"Nothing is shown of: {', '.join(done.not_shown)}. --rename says what the model calls a finding."
    if done.skipped:
        yield f"{len(done.skipped)} films were passed over; --json names them."
    if any(one.froc is not None and not one.froc.negatives for one in done.findings.values()):
        yield "No film without the finding for some: false alarms of FROC are those on films with it."


def unknown_patients(done: Localisation) -> str:
    """What it means that the truth does not say whose some films are; empty where it says so of all."""
    unnamed = done.truth.get("films_without_patient")
    if not unnamed:
        return ""
    tuned = ", and rules are chosen on patients that are measured too" if done.tuning_films else ""
    return (
        f"The truth does not say whose films {unnamed} of its {done.truth['films']} are: each counts as a patient. "
        f"If a patient has several, intervals are too narrow{tuned}."
    )


def page(done: Localisation) -> str:
    """The table as Markdown, with what a reader must know."""
    shown = ", ".join(f"{name} {value}" for name, value in done.shown.items())
    lines = [
        "# Localisation",
        f"{RESEARCH_USE} A map highlights; it never proves.",
        f"Truth: {done.truth['format']}, {done.truth['films']} films of {done.truth['patients']} patients, "
        f"SHA-256 {done.truth['sha256']}. Shown: {shown}.",
        "Values in brackets: 95 % bootstrap interval over patients. IoU, Dice and IoBB are means over films with the "
        "finding; a random point hits the truth as often as the column says; AUPRC is of the pixels of each film; FROC "
        "is the mean share of places found at 1/8 to 8 false alarms a film.",
        "\n".join(
            ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
            + ["| " + " | ".join(row) + " |" for row in table(done)]
        ),
        "## Share of films whose IoU is below a level",
        "\n".join(_levels(done.findings)),
        "## By size of the finding",
        "\n".join(_sizes(done.findings)),
        "\n".join(f"- {note}" for note in notes(done)),
    ]
    return "\n\n".join(lines) + "\n"


def _levels(findings: Mapping[str, PlaceFigures]) -> Iterator[str]:
    levels = next(iter(findings.values())).error
    yield "| finding | " + " | ".join(levels) + " |"
    yield "|---|" + "---|" * len(levels)
    for name, one in findings.items():
        yield f"| {name} | " + " | ".join(figure_text(figure) for figure in one.error.values()) + " |"


def _sizes(findings: Mapping[str, PlaceFigures]) -> Iterator[str]:
    yield "| finding | size | share of the film | films | IoU | hit rate |"
    yield "|---|---|---|---|---|---|"
    for name, one in findings.items():
        for size, part in one.sizes.items():
            share = f"{part.smallest:g} to {part.largest:g}"
            yield (
                f"| {name} | {size} | {share} | {part.iou.cases} | {figure_text(part.iou)} "
                f"| {figure_text(part.hit_rate)} |"
            )


def _films(done: Localisation) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for name, scores in done.scores.items():
        rows.writerows(_row(name, score) for score in scores)
    return text.getvalue()


def _row(finding: str, score: PlaceScore) -> tuple[object, ...]:
    numbers = (score.share, score.found / score.pixels, score.iou, score.dice, score.iobb)
    false = sum(not candidate.lesions for candidate in score.candidates)
    return (
        score.film,
        finding,
        *(_number(number) for number in numbers),
        "" if score.hit is None else int(score.hit),
        _number(score.average_precision),
        score.lesions,
        len(score.candidates),
        false,
        _number(score.probability),
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
