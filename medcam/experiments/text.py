"""L9: a detector of print that learnt from "has print" and "has none" alone."""

from __future__ import annotations

from typing import Any

from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import number, share, table
from medcam.service.measure.text import TEST_SEED, TextPlan, text_figures
from medcam.service.measure.text_real import BOTH, BY_HAND, LEARNT, NAMES

_RECALL, _ALARMS = "recall of the characters' area", "false alarms"
_SHARES = (_RECALL, "every character covered", "film covered outside print", "films without print left alone")
_COUNTS = (_ALARMS, "false alarms without print")


def run(setting: Setting) -> Figures:
    """Prints on phantoms and looks for it."""
    budget = setting.budget
    plan = TextPlan(budget.of(2, 10, 50), budget.of(512, 768, TextPlan().side), TEST_SEED + setting.seed)
    figures = text_figures(plan, setting.work / "text", threads=setting.threads or 1, report=setting.report)
    return figures.as_dict()


def page(figures: Figures) -> Page:
    """The detectors side by side, over films and over kinds of lines."""
    films = {name: figures["phantoms"][name]["films"] for name in NAMES}
    rows = [
        [name, *(share(films[name][key]) for key in _SHARES), *(_count(films[name][key]) for key in _COUNTS)]
        for name in NAMES
    ]
    kinds = [
        [kind, str(_lines(figures, LEARNT, kind)["n"]), *(share(_lines(figures, name, kind)) for name in NAMES)]
        for kind in figures["phantoms"][LEARNT]["lines"]
        if _lines(figures, LEARNT, kind)
    ]
    plan = figures["plan"]
    body = f"""Trained from image-level labels: a film has print or markers, or it has none; no box was given. The
map of the one class gives the boxes. Measured on {plan["films"]} phantoms of {plan["side"]} px that no detector has
seen, each with names, dates, numbers and markers and without; beside it the hand-made detector of strokes, and both
together. Intervals: 95 %. Detector: {figures["model"]}, weights {figures["weights"][:12]}.

{table(("detector", *_SHARES, *(f"{key}, per film" for key in _COUNTS)), rows)}

Recall of the characters' area, by kind of line:

{table(("kind", "lines", *NAMES), kinds)}

## What it says

{_verdict(films)}
"""
    return Page(body)


def _lines(figures: Figures, name: str, kind: str) -> dict[str, Any]:
    told: dict[str, Any] = figures["phantoms"][name]["lines"][kind].get(_RECALL, {})
    return told


def _count(figure: dict[str, float]) -> str:
    return f"{number(figure['value'], 2)} ({number(figure['low'], 2)} to {number(figure['high'], 2)})"


def _verdict(films: dict[str, Any]) -> str:
    return "\n".join(
        f"- {name}: {share(films[name][_RECALL])} of the characters' area, {_count(films[name][_ALARMS])} false alarms "
        "per film."
        for name in NAMES
    )


def summary(figures: Figures) -> list[Line]:
    """One row."""
    films = {name: figures["phantoms"][name]["films"] for name in NAMES}
    here = (
        f"{share(films[LEARNT][_RECALL])} of the characters' area from labels alone, {_count(films[LEARNT][_ALARMS])} "
        f"false alarms per film; hand-made {share(films[BY_HAND][_RECALL])}; both {share(films[BOTH][_RECALL])}"
    )
    return [Line("L9", "text detector from labels alone", here, "boxes on street views, shown in pictures")]


TEXT = Experiment("text", "Burned-in text from image-level labels", run, page, summary)
