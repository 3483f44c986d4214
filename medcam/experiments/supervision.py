"""L4 and L5: boxes without boxes, and what masks would add."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from medcam.evaluate.curves import line_charts
from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import cells, interval, number, share, table
from medcam.service.comparison.supervision import FULL, SEGMENTATION, WEAK, compare_supervision

_PAPER = (
    "weak GoogLeNet-GAP 37.1 % against full AlexNet 34.2 %, and full GoogLeNet 26.7 % (from memory): "
    "ratios 1.08 and 1.39"
)
_SHARES = {Budget.SLICE: (0.5, 1.0), Budget.QUICK: (0.33, 0.66, 1.0), Budget.FULL: (0.25, 0.5, 1.0)}


def run(setting: Setting) -> Figures:
    """Trains and measures every kind of supervision at every size."""
    plan = setting.budget.comparison(setting.seed)
    figures = compare_supervision(
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
        "runs": len(plan.seeds),
        "rows": [asdict(row) for row in figures.rows],
        "weak_less": {kind: each.as_dict() for kind, each in figures.weak_less.items()},
    }


def page(figures: Figures) -> Page:
    """The table by size, the difference at the largest, a figure."""
    kinds = (WEAK, FULL, SEGMENTATION)
    lines = {
        "IoU, tuned, by number of films": {
            kind: [row["figures"]["iou_tuned"]["value"] for row in figures["rows"] if row["kind"] == kind]
            for kind in kinds
        }
    }
    body = f"""Three ways to learn where a finding is, on the same films: the network of [the heads](pooling-heads.md)
with a GAP head from labels alone; the same network with its cells told the mask (cross-entropy and Dice beside the
labels); and, as an upper reference, MONAI's U-Net, which sees every pixel. About as many steps for each.
{figures["side"]} px, measured on {figures["held"]} phantoms; words and rules as there.

{table(_COLUMNS, map(_row, figures["rows"]))}

![Mean IoU of the three kinds over growing numbers of films](supervision.svg)

## What it says

{_verdict(figures["rows"], figures["weak_less"])}

The paper: {_PAPER}. Its networks, data and count of errors (five guesses per
image) are others, so that the ratios alone compare.
"""
    return Page(body, {"supervision.svg": line_charts(lines, x_label="size of the training set, smallest to largest")})


_COLUMNS = (
    "supervision",
    "films",
    "runs",
    "AUC",
    "localisation error",
    "error, tuned",
    "IoU",
    "IoU, tuned",
    "pointing",
)


def _row(row: dict[str, Any]) -> list[str]:
    names = ("auc", "error", "error_tuned", "iou", "iou_tuned", "pointing")
    return [row["kind"], str(row["films"]), str(row["figures"]["runs"]), *cells(row["figures"], *names)]


def _largest(rows: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    chosen: dict[str, Any] = max((row for row in rows if row["kind"] == kind), key=lambda row: row["films"])["figures"]
    return chosen


def _verdict(rows: list[dict[str, Any]], less: dict[str, Any]) -> str:
    weak = _largest(rows, WEAK)
    lines = []
    for kind in (FULL, SEGMENTATION):
        full = _largest(rows, kind)
        lines.append(
            f"- {WEAK} against {kind}, all films: mean IoU {number(weak['iou_tuned']['value'])} against "
            f"{number(full['iou_tuned']['value'])}, paired difference {interval(less[kind]['iou_tuned'])}; "
            f"localisation error {share(weak['error_tuned'])} against {share(full['error_tuned'])}, paired difference "
            f"{share(less[kind]['error_tuned'])}, ratio {_ratio(weak, full)}."
        )
    for kind in (WEAK, FULL, SEGMENTATION):
        own = [row["figures"]["iou_tuned"] for row in rows if row["kind"] == kind]
        words = "more films help" if own[-1]["low"] > own[0]["high"] else "smallest and largest set not told apart"
        lines.append(f"- {kind}: mean IoU {' -> '.join(interval(value) for value in own)}, {words}.")
    return "\n".join(lines)


def _ratio(weak: dict[str, Any], full: dict[str, Any]) -> str:
    below = full["error_tuned"]["value"]
    return f"{weak['error_tuned']['value'] / below:.2f}" if below else "not defined"


def summary(figures: Figures) -> list[Line]:
    """Two rows."""
    weak, full = _largest(figures["rows"], WEAK), _largest(figures["rows"], FULL)
    top = _largest(figures["rows"], SEGMENTATION)
    boxes = (
        f"error {share(weak['error'])} by the paper's rule, {share(weak['error_tuned'])} tuned; "
        f"IoU {number(weak['iou']['value'])} and {number(weak['iou_tuned']['value'])}"
    )
    against = (
        f"error {share(weak['error_tuned'])} weak, {share(full['error_tuned'])} the same network with masks (ratio "
        f"{_ratio(weak, full)}), {share(top['error_tuned'])} U-Net"
    )
    return [
        Line("L4", "boxes from labels alone", boxes, "GoogLeNet-GAP 43.0 % by the 20 % rule, 37.1 % with heuristics"),
        Line("L5", "weak against full supervision", against, _PAPER),
    ]


SUPERVISION = Experiment("supervision", "Labels alone against masks", run, page, summary)
