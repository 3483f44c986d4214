"""Mixed supervision: what boxes on a few films add to labels alone."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from medcam.evaluate.curves import line_charts
from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import cells, interval, number, share, table
from medcam.service.comparison.mixed import compare_mixed

_SHARES = {Budget.SLICE: (1.0,), Budget.QUICK: (0.1, 1.0), Budget.FULL: (0.05, 0.2, 1.0)}
_COLUMNS = ("findings with a box", "boxes", "runs", "AUC", "localisation error, tuned", "IoU", "IoU, tuned", "pointing")


def run(setting: Setting) -> Figures:
    """Trains and measures with boxes for growing shares of the findings."""
    plan = setting.budget.comparison(setting.seed)
    if setting.budget is Budget.FULL:
        # Small enough for ten minutes of one core: a data set of the size that people fine-tune on.
        plan = replace(plan, patients=250, held=200, side=96, epochs=12)
    figures = compare_mixed(
        plan,
        _SHARES[setting.budget],
        setting.work / "comparison",
        workers=setting.workers,
        threads=setting.threads,
        report=setting.report,
    )
    return {
        "held": plan.held,
        "side": plan.side,
        "epochs": plan.epochs,
        "films": figures.films,
        "present": figures.present,
        "rows": [asdict(row) for row in figures.rows],
        "gain": {f"{part:g}": each.as_dict() for part, each in figures.gain.items()},
    }


def page(figures: Figures) -> Page:
    """The table by share, the gain, a figure."""
    rows = figures["rows"]
    lines = {"IoU, tuned, and pointing, by share of findings with a box": _lines(rows)}
    body = f"""`medcam train --boxes learn` takes boxes where somebody drew them: on a film with a finding and its
box, the cells of the map inside must say yes and those outside no (the box loss of Li et al., "Thoracic Disease
Identification and Localization with Limited Supervision", CVPR 2018, as means over both sides); films without boxes are
learnt from by their labels as before. Here {figures["films"]} phantom films of {figures["side"]} px with
{figures["present"]} findings are learnt from in {figures["epochs"]} epochs, by the objective of the recipe for one's
own films, with a small network and a share of the findings boxed; measured on {figures["held"]} other phantoms, against
their true masks. Words and rules as on [the page on supervision](supervision.md). A box is the tightest one around each
part of the true mask: a reader's boxes are looser, and differ from one reader to the next.

{table(_COLUMNS, map(_row, rows))}

![Tuned IoU and pointing over the share of findings with a box](mixed.svg)

## What it says

{_verdict(rows, figures["gain"])}
"""
    return Page(body, {"mixed.svg": line_charts(lines, x_label="share of findings with a box, none to all")})


def _lines(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    named = {"IoU, tuned": "iou_tuned", "pointing": "pointing"}
    return {name: [row["figures"][field]["value"] for row in rows] for name, field in named.items()}


def _row(row: dict[str, Any]) -> list[str]:
    own = row["figures"]
    measured = cells(own, "auc", "error_tuned", "iou", "iou_tuned", "pointing")
    return [f"{100 * row['share']:.0f} %", str(row["boxed"]), str(own["runs"]), *measured]


def _verdict(rows: list[dict[str, Any]], gain: dict[str, Any]) -> str:
    lines = []
    for row in rows[1:]:
        more, own, weak = gain[f"{row['share']:g}"], row["figures"]["iou_tuned"], rows[0]["figures"]["iou_tuned"]
        lines.append(
            f"- Boxes for {100 * row['share']:.0f} % of the findings ({row['boxed']}): tuned IoU "
            f"{number(own['value'])} against {number(weak['value'])} with "
            f"labels alone, paired difference {interval(more['iou_tuned'])}, {_word(more['iou_tuned'])}; pointing "
            f"{share(more['pointing'])} more, {_word(more['pointing'])}; AUC {interval(more['auc'])}, "
            f"{_word(more['auc'])}."
        )
    return "\n".join(lines)


def _word(difference: dict[str, float]) -> str:
    if difference["low"] > 0:
        return "a gain"
    return "a loss" if difference["high"] < 0 else "not told apart"


def summary(figures: Figures) -> list[Line]:
    """Gain of tuned IoU with boxes for the smallest share of the findings that was tried."""
    shares = [row["share"] for row in figures["rows"][1:2]]
    gains = [(part, figures["gain"][f"{part:g}"]["iou_tuned"]) for part in shares]
    return [
        Line(
            "",
            f"boxes for {100 * part:.0f} % of the findings, {figures['held']} phantoms",
            f"tuned IoU {interval(gain)} more than with labels alone",
        )
        for part, gain in gains
    ]


MIXED = Experiment("mixed", "Labels and a few boxes", run, page, summary)
