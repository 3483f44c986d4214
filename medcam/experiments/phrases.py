"""L8: a phrase of reports as a label, and whether its map lies where the phrase is true."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import interval, number, share, table
from medcam.service.measure.phrases import PhrasePlan, measure_phrases

_PLANS = {
    Budget.SLICE: PhrasePlan(pool=48, test=48, rendered=128),
    Budget.QUICK: PhrasePlan(pool=240, test=160, rendered=256),
    Budget.FULL: PhrasePlan(),
}


def run(setting: Setting) -> Figures:
    """Fits and measures a probe for every phrase."""
    figures = measure_phrases(
        replace(_PLANS[setting.budget], seed=setting.seed),
        setting.work / f"phrases-{setting.budget}",
        workers=setting.workers,
        threads=setting.threads or 1,
        report=setting.report,
    )
    return figures.as_dict()


def page(figures: Figures) -> Page:
    """Phrases with a meaning on the film, and those without."""
    seen, idle = _seen(figures), _idle(figures)
    columns = (
        "phrase",
        "positives are right",
        "AUC",
        "pointing",
        "by chance",
        "another film's map",
        "IoU",
        "by chance",
    )
    rows = [
        [
            row["phrase"],
            share(row["right"]),
            interval(row["auc"]),
            share(row["placed"]["pointing"]),
            f"{100 * row['placed']['pointing_chance']:.1f} %",
            f"{100 * row['placed']['pointing_other']:.1f} %",
            interval(row["placed"]["iou"]),
            number(row["placed"]["iou_chance"]),
        ]
        for row in seen
    ]
    others = [[row["phrase"], str(row["positives"]), interval(row["auc"]), _chance(row)] for row in idle]
    plan = figures["plan"]
    body = f"""Reports were written for {plan["pool"]} phantoms from what is truly there, in varied words, with
denials, doubts and indications. A phrase picks the films whose report affirms it; negatives are drawn at random among
the others, with {plan["rounds"]} rounds of hard ones; a probe is fitted to the features of the shipped model
({figures["layer"]}).
Measured on {plan["test"]} other phantoms by what is truly there. Pointing: the map's highest cell lies on the mask of
what the phrase means; beside it by chance, and with the map of another film that shows it (the usual place).

{table(columns, rows)}

## Phrases that mean nothing on the film

{table(("phrase", "films whose report holds it", "AUC", "against chance"), others)}

## What it says

{_verdict(seen, idle)}
"""
    return Page(body)


def _seen(figures: Figures) -> list[dict[str, Any]]:
    return [row for row in figures["phrases"] if row["finding"] and isinstance(row["placed"], dict)]


def _idle(figures: Figures) -> list[dict[str, Any]]:
    return [row for row in figures["phrases"] if not row["finding"]]


def _chance(row: dict[str, Any]) -> str:
    return "not told from chance" if row["auc"]["low"] <= 0.5 <= row["auc"]["high"] else "off chance"


def _points(row: dict[str, Any]) -> bool:
    """Whether a map points better than chance and than another film's map."""
    placed = row["placed"]
    return bool(placed["pointing"]["low"] > max(placed["pointing_chance"], placed["pointing_other"]))


def _verdict(seen: list[dict[str, Any]], idle: list[dict[str, Any]]) -> str:
    good, bad = [row for row in seen if _points(row)], [row for row in seen if not _points(row)]
    off = [row["phrase"] for row in idle if _chance(row) == "off chance"]
    lines = [
        f"- The maps of {len(good)} of {len(seen)} phrases point better than chance and than another film's map, by "
        f"their intervals{_but('not so', [row['phrase'] for row in bad])}.",
        f"- Of {len(idle)} phrases without a meaning on the film, {len(idle) - len(off)} are not told from chance"
        f"{_but('off it, as one in twenty would be', off)}.",
    ]
    return "\n".join(lines)


def _but(words: str, names: list[str]) -> str:
    return f"; {words}: {', '.join(names)}" if names else ""


def summary(figures: Figures) -> list[Line]:
    """One row."""
    seen, idle = _seen(figures), _idle(figures)
    good, calm = sum(map(_points, seen)), sum(_chance(row) == "not told from chance" for row in idle)
    here = (
        f"maps of {good} of {len(seen)} phrases lie where the phrase is true, better than chance and than another "
        f"film's map; {calm} of {len(idle)} meaningless phrases are at chance"
    )
    return [Line("L8", "a phrase of reports as label", here, "pictures of phrases such as 'mirror in lake', no figure")]


PHRASES = Experiment("phrases", "Phrases of reports as labels", run, page, summary)
