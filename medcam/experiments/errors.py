"""L11: wrong answers are explained too: is the data odd, or the network wrong?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import share, table
from medcam.service.measure.planted import ShortcutPlan
from medcam.service.measure.triage import TriagePlan, measure_triage

_PLANS = {
    Budget.SLICE: TriagePlan(ShortcutPlan(patients=32, size=64, epochs=1), label_films=6, word_films=6, size=128),
    Budget.QUICK: TriagePlan(ShortcutPlan(patients=240, size=96, epochs=5), label_films=40, word_films=60),
    Budget.FULL: TriagePlan(),
}


def run(setting: Setting) -> Figures:
    """Plants label errors and a shortcut, and counts which are named."""
    figures = measure_triage(
        replace(_PLANS[setting.budget], seed=setting.seed),
        setting.work / f"errors-{setting.budget}",
        workers=setting.workers,
        threads=setting.threads or 1,
        report=setting.report,
    )
    return figures.as_dict()


def page(figures: Figures) -> Page:
    """What was planted, and what it was called."""
    plan, shortcut = figures["plan"], figures["plan"]["shortcut"]
    left_out, added = figures["turned"]
    columns = (
        "planted",
        "wrong answers",
        "named rightly",
        "called marker or text",
        "label called in doubt",
        "named as",
    )
    body = f"""`medcam evaluate errors` gives every wrong answer a likely reason by stated rules on where its evidence
lay. Here the causes were planted.

**Label errors.** Labels of {plan["label_films"]} phantoms were turned at random: {left_out} findings left out, {added}
added. The shipped model's answers were compared with them. A good reason says that the label is in doubt.

{table(columns, _rows(figures["labels"]), words=True)}

**A shortcut.** A small network learnt {shortcut["finding"]} from films on which a burned-in word stood on
{100 * shortcut["with_finding"]:.0f} % of those with it and {100 * shortcut["without"]:.0f} % of those without. On
{plan["word_films"]} others the word stands on every second film, whatever is there. An answer is the word's doing where
the same film without it (or with it) is answered rightly. Films without the finding are called present in
{share(figures["called_with_word"])} with the word, and in {share(figures["called_without_word"])} without.

{table(columns, _rows(figures["words"]), words=True)}

The findings that the word does not betray, on the same films:

{table(columns, _rows(figures["others"]), words=True)}

## What it says

- {share(figures["right"])} of the planted causes that a map can show are named rightly.
{_unseen(figures)}
"""
    return Page(body)


def _rows(rows: dict[str, Any]) -> list[list[str]]:
    return [
        [
            planted,
            str(row["n"]),
            share(_figure(row["right"])),
            share(_figure(row["marks"])),
            share(_figure(row["doubts"])),
            ", ".join(f"{name}: {count}" for name, count in row["named"].items()),
        ]
        for planted, row in rows.items()
    ]


def _figure(value: object) -> dict[str, float] | None:
    """A figure; None, and what stands for it in a record, is none."""
    return value if isinstance(value, dict) else None


def _unseen(figures: Figures) -> str:
    missing = [name for rows in (figures["labels"], figures["words"]) for name in rows if _is_unnamed(rows[name], name)]
    return f"- No reason of the rules can name: {'; '.join(missing)}." if missing else ""


def _is_unnamed(row: dict[str, Any], name: str) -> bool:
    return _figure(row["right"]) is None and not name.startswith("nothing planted")


def summary(figures: Figures) -> list[Line]:
    """One row."""
    causes = {**figures["labels"], **figures["words"]}
    parts = [f"{name} {share(row['right'])}" for name, row in causes.items() if _figure(row["right"])]
    here = f"{share(figures['right'])} of planted causes named rightly" + (f" ({'; '.join(parts)})" if parts else "")
    return [Line("L11", "wrong answers explained", here, "looked at one by one, no figure")]


ERRORS = Experiment("errors", "Wrong answers and their causes", run, page, summary)
