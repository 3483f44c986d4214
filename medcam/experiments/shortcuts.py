"""Planted shortcuts: which the rule of `medcam evaluate shortcuts` tells, and how often it tells one too many."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import number, share, table
from medcam.service.measure.marks_found import marks_found
from medcam.service.measure.shortcut_models import EVEN_SHARE, WITH, WITHOUT
from medcam.service.measure.shortcuts import TAKEN, ShortcutBench, measure_shortcuts

_PLANS = {
    Budget.SLICE: ShortcutBench(networks=1, films=16, patients=24, epochs=1, pairs=3),
    Budget.QUICK: ShortcutBench(networks=2, films=100, patients=240, epochs=8, pairs=20),
    Budget.FULL: ShortcutBench(),
}


def run(setting: Setting) -> Figures:
    """Trains networks with and without a shortcut, and judges them."""
    bench = replace(_PLANS[setting.budget], seed=setting.seed)
    figures = measure_shortcuts(
        bench, setting.work / f"shortcuts-{setting.budget}", workers=setting.workers, report=setting.report
    )
    found = marks_found(setting.budget.of(2, 12, 30), setting.budget.of(256, 768, 768))
    return {"bench": asdict(bench), **figures, "marks": found}


def page(figures: Figures) -> Page:
    """The networks one by one, and what is told over all."""
    bench, rows = figures["bench"], figures["networks"]
    planted, clean = ([row for row in rows if row["planted"] is kind] for kind in (True, False))
    size, made = rows[0]["plan"]["size"], "; ".join(sorted({row["made_with"] for row in rows}))
    lots = " and ".join(f"{first} to {last}" for first, last in figures["tuning_seeds"])
    body = f"""{len(planted)} small networks learnt from phantoms on which a thing betrays a finding: a marker P, the
burned-in word ICU, a metal disc over the upper chest, or black shutters stand on {100 * WITH:.0f} % of the films
with the finding and on {100 * WITHOUT:.0f} % of those without. {len(clean)} clean ones learnt from films on which such
a thing stands on {100 * EVEN_SHARE:.0f} % whatever is there, or from films as they are. Phantoms have side markers,
text, buttons and electrodes of their own besides, which betray nothing. Each network ({size} px,
{bench["patients"]} phantoms, {bench["epochs"]} passes, all eight findings) is judged on {bench["films"]} phantoms that
it has not seen, made as its own were. All findings and places are judged, those too that nothing was planted for.

The rule was fixed beforehand, on networks of seeds {lots}; the networks below have others, and so have their
films. The rule: {figures["rule"]}.

Trained and judged with {made}.

{_networks(bench["pairs"], planted, clean)}

{_over_all(figures)}

## Scores and attributes

{_associated(rows)}

## Where places are not known

On films without truth, markers and text are looked for by the two detectors of `medcam deidentify --clean-pixels`.
{_marks(figures["marks"])} Devices are not looked for on such films; borders are the frame and even bands along it, and
what lies outside the body follows from the air around it.

## What it says

{_verdict(figures)}
"""
    return Page(body)


def _networks(pairs: int, planted: list[dict[str, Any]], clean: list[dict[str, Any]]) -> str:
    return f"""## Planted

Whether a network took the bait is measured apart from the judge: {pairs} pairs of films that differ in nothing
but the thing. From {TAKEN:g} standard deviations of the logit on it counts as taken; that was fixed beforehand too. A
network that did not take it has learnt no shortcut: there is none to tell, and it is no miss.

{table(_PLANTED_COLUMNS, [_planted_row(row) for row in planted], words=True)}

## Clean

{table(_CLEAN_COLUMNS, [_clean_row(row) for row in clean], words=True)}"""


def _over_all(figures: Figures) -> str:
    rows = (
        ("planted shortcuts that the network took, told in the right place and finding", "detected_where_taken"),
        ("all that were planted, taken or not", "detected"),
        ("clean networks of which anything is told", "false_alarms"),
        ("planted networks of which something else is told too", "false_alarms_planted"),
        ("pairs of finding and place told, of those that nothing was planted for", "false_pairs"),
    )
    cells = [[words, _n(figures[key]), _of(figures[key], 2 if key == "false_pairs" else 1)] for words, key in rows]
    return f"""## Over all

{table(("what", "n", "share"), cells)}

Intervals are 95 %, by Wilson. Of networks on which no place has an effect beyond the smallest that counts, the rule
lets 5 % or fewer have any alarm. What is told of places that nothing was planted for: {_places(figures)}. Such a
network may lean on the place all the same: one that has learnt little from few films leans on what it meets. It is
counted as a false alarm here, since nothing on the films makes it right."""


_PLANTED_COLUMNS = (
    "thing",
    "betrays",
    "bait taken, SD",
    "AUC of it",
    "effect by erasing, SD",
    "verdict",
    "enrichment",
    "told besides",
)
_CLEAN_COLUMNS = ("thing", "mean AUC", "told, each a false alarm")


def _planted_row(row: dict[str, Any]) -> list[str]:
    plan = row["plan"]
    return [
        plan["thing"],
        plan["betrays"],
        number(row["taken"], 2),
        number(row["auc"].get(plan["betrays"], math.nan), 2),
        _triple(row["effect"]),
        f"{row['severity']}, by {row['basis']}" if row["caught"] else f"{row['severity']}: {_why_not(row)}",
        _triple(row["enrichment"]),
        _others(row),
    ]


def _took(row: dict[str, Any]) -> bool:
    return bool((row["taken"] or 0.0) >= TAKEN)


def _why_not(row: dict[str, Any]) -> str:
    return "missed" if _took(row) else "bait not taken"


def _clean_row(row: dict[str, Any]) -> list[str]:
    aucs = list(row["auc"].values())
    mean = sum(aucs) / len(aucs) if aucs else math.nan
    thing = row["plan"]["thing"]
    # None of a record is read as a number that is none.
    words = f"{thing}, betrays nothing" if isinstance(thing, str) else "none: films as they are"
    return [words, number(mean, 2), _others(row)]


def _others(row: dict[str, Any]) -> str:
    told = [f"{name} by {place} ({number(value, 2)} SD, {size})" for name, place, value, _, _, size in row["others"]]
    return "; ".join(told) or "nothing"


def _triple(values: list[float] | None) -> str:
    if not isinstance(values, list):
        return "-"
    value, low, high = values
    return f"{number(value, 2)} ({number(low, 2)} to {number(high, 2)})"


def _n(figure: dict[str, float] | None) -> str:
    return str(figure["n"]) if isinstance(figure, dict) else "0"


def _of(figure: dict[str, float] | None, digits: int = 1) -> str:
    return share(figure, digits) if isinstance(figure, dict) else "-"


def _places(figures: Figures) -> str:
    told = [f"{place} {count}" for place, count in figures["places"].items() if count]
    return ", ".join(told) or "nothing"


def _associated(rows: list[dict[str, Any]]) -> str:
    told = [(row["plan"]["name"], each) for row in rows for each in row["associated"]]
    tests = sum(row["associations"] for row in rows)
    words = (
        f"View, sex and age of a phantom do not decide what it has. Yet {len(told)} of {tests} comparisons of a "
        "finding's logit with one of them, the label held fixed, are told over all networks. The test itself keeps to "
        "its rate where score and attribute are independent. Here they are not: view, sex and age shape the body, and "
        "a network that has learnt little answers to the body's shape. An association says where to look, no more."
    )
    counts: dict[str, int] = {}
    for _, (_, attribute, *_rest) in told:
        counts[attribute] = counts.get(attribute, 0) + 1
    by = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"{words} By attribute: {by or 'none'}."


def _marks(marks: dict[str, Any]) -> str:
    figures = {name: (_of(marks[name]), _n(marks[name])) for name in ("markers", "text", "area", "precision")}
    return (
        f"On {marks['films']} phantoms of {marks['side']} px they find {figures['markers'][0]} of "
        f"{figures['markers'][1]} markers and {figures['text'][0]} of {figures['text'][1]} lines of text (half of the "
        f"letters covered), and cover {figures['area'][0]} of the letters' area; {figures['precision'][0]} of "
        f"{figures['precision'][1]} parts found are print or marker."
    )


def _verdict(figures: Figures) -> str:
    missed = [row for row in figures["networks"] if row["planted"] and not row["caught"] and _took(row)]
    unseen = [row for row in figures["networks"] if row["planted"] and row["caught"] and not _is_enriched(row)]
    names, quiet = (
        "; ".join(f"{r['plan']['thing']} for {r['plan']['betrays']}" for r in rows) for rows in (missed, unseen)
    )
    return f"""- {_of(figures["detected_where_taken"])} of the planted shortcuts that a network took are told.
- {_of(figures["false_alarms"])} of the clean networks get a false alarm.
- Missed of networks that took the bait: {names or "none"}.
- Told by erasing where the map's evidence alone shows nothing (enrichment of 1 or less within its interval):
  {quiet or "none"}.
- With so few networks the intervals are wide; phantoms are not patients, and a thing that betrays a finding on 95 % of
  the films is a plain shortcut. Fainter ones will be missed more often."""


def _is_enriched(row: dict[str, Any]) -> bool:
    enrichment = row["enrichment"]
    return isinstance(enrichment, list) and bool(enrichment[1] > 1.0)


def summary(figures: Figures) -> list[Line]:
    """Planted shortcuts that are told, and false alarms on clean networks."""
    taken, clean = figures["detected_where_taken"], figures["false_alarms"]
    here = (
        f"told of {_n(taken)} networks that took a planted shortcut: {_of(taken)}; "
        f"false alarms on {_n(clean)} clean ones: {_of(clean)}"
    )
    return [Line("", "planted shortcuts", here)]


SHORTCUTS = Experiment("shortcuts", "Planted shortcuts", run, page, summary)
