"""Faithfulness of maps: what erasing does to the score, by every attribution method."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.phantom_cohort import MODEL
from medcam.experiments.tables import interval, table
from medcam.service.evaluation.faithful_looks import CELLS, SIZES, SUBSETS, TOP
from medcam.service.evaluation.faithfulness import evaluate_faithfulness

_WORDS = {
    "mean": "the film's mean",
    "blur": "the film, blurred",
    "noisy-linear": "noisy linear imputation; the difference is ROAD",
    "healthy": "the same patient without the finding",
}
_COMPARED = ("cam", "guided-backprop")
"""The method of the decisions, and the one that is known to be bad."""


def run(setting: Setting) -> Figures:
    """Judges the shipped model; a slice does with two methods and fill-ins."""
    films = setting.budget.of(2, 12, 60)
    few = setting.budget.of(1, 0, 0)
    record = evaluate_faithfulness(
        MODEL,
        methods=("cam", "guided-backprop") if few else (),
        fills=("mean", "healthy") if few else (),
        films=films,
        seed=setting.seed,
        engine="auto",
        progress=lambda done, total: setting.report(f"film {done} of {total}"),
    )
    return asdict(record)


def page(figures: Figures) -> Page:
    """Tables by fill-in, sums, ledger."""
    sections = "\n\n".join(
        f"### {fill}: {words}\n\n{_curves(figures, fill)}"
        for fill, words in _WORDS.items()
        if any(row["fill"] == fill for row in figures["curves"])
    )
    sizes = ", ".join(str(size) for size in SIZES)
    return Page(f"""The shipped model on {figures["films"]} phantoms, each judged for one finding that is there
(`medcam evaluate faithfulness`; scores by {figures["engine"]}, maps by torch). Cells of a {CELLS} x {CELLS} grid are
erased in the order of each method's map. Intervals are 95 % over patients; with so few films they are wide.
[What these tests can and cannot tell](../explanation/testing-heatmaps.md).

## Deletion and insertion

Areas under the probability. Deletion: the most relevant cells first, low is good. Insertion: they are put back first,
high is good. `random` and `centre` are maps without a model; `guided-backprop` is the known-bad method of the registry.

{sections}

## Do values add up?

Sensitivity-n: correlation of summed values with the drop of the logit, {SUBSETS} random subsets of {sizes} cells, mean
fill. Infidelity: on squares of cells, at the best scale of each map; 1 is what a map of zeros has.

{_sums(figures)}

## What the ledger predicts

The ledger splits the logit over the grid exactly. It does not say what erasing does, since a cell sees beyond its
borders. "Top tenth" are the {100 * TOP:.0f} % of cells with most evidence. Logit units; the last column is the slope of
the true change on the predicted one.

{_ledger(figures)}

## What it says

{_verdict(figures)}
""")


def _curves(figures: Figures, fill: str) -> str:
    rows = [row for row in figures["curves"] if row["fill"] == fill and not row["finding"]]
    rows.sort(key=lambda row: -row["difference"]["value"])
    columns = ("deletion", "insertion", "difference", "beyond_random", "beyond_centre")
    lines = [[_name(row), *(_figure(row[column]) for column in columns)] for row in rows]
    return table(("method", "deletion", "insertion", "difference", "beyond random", "beyond centre"), lines)


def _sums(figures: Figures) -> str:
    lines = [
        [_name(row), *(_figure(figure) for figure in row["sensitivity"].values()), _figure(row["infidelity"])]
        for row in figures["linear"]
    ]
    return table(("method", *(f"sensitivity-{size}" for size in SIZES), "infidelity"), lines)


def _ledger(figures: Figures) -> str:
    lines = [
        [f"{row['region']}, {row['fill']}", *(_figure(row[key]) for key in ("predicted", "true", "error", "slope"))]
        for row in figures["ledger"]
    ]
    return table(("erased, filled with", "predicted", "true", "mean absolute error", "true / predicted"), lines)


def _name(row: dict[str, Any]) -> str:
    return f"`{row['method']}`" + (" (control)" if row["control"] else "")


def _figure(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "-"
    return f"{figure['value']:.2f}" if figure["low"] is None else interval(figure, 2)


def _verdict(figures: Figures) -> str:
    lines = []
    for fill in dict.fromkeys(row["fill"] for row in figures["curves"]):
        rows = [row for row in figures["curves"] if row["fill"] == fill and not row["finding"]]
        methods = [row for row in rows if not row["control"]]
        ahead = [row for row in methods if (row["beyond_random"]["low"] or 0.0) > 0.0]
        words = f"- {fill}: {len(ahead)} of {len(methods)} methods are beyond the random map, the interval above 0"
        bad = [row["method"] for row in rows if row["method"] == "guided-backprop"]
        if bad:
            low = next(row for row in rows if row["method"] == bad[0])["beyond_random"]
            words += f"; guided back-propagation is {_figure(low)} beyond it"
        lines.append(words + ".")
    return "\n".join(lines)


def summary(figures: Figures) -> list[Line]:
    """Maps of GAP and of the known-bad method beyond a random map, erased by the best fill-in that was measured."""
    fills = list(dict.fromkeys(row["fill"] for row in figures["curves"]))
    rows = [row for row in figures["curves"] if row["fill"] == fills[-1] and not row["finding"]]
    told = [f"`{row['method']}` {_figure(row['beyond_random'])}" for row in rows if row["method"] in _COMPARED]
    what = f"insertion minus deletion beyond a random map, {figures['films']} phantoms, fill-in {fills[-1]}"
    return [Line("", what, "; ".join(told))]


FAITHFULNESS = Experiment("faithfulness", "Faithfulness of maps", run, page, summary)
