"""L3: GAP against GMP, LSE and PCAM: alike in classification, apart in localisation?"""

from __future__ import annotations

from typing import Any

from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import apart, interval, number, share, table
from medcam.service.comparison.pooling import compare_heads

_PAPER = "localisation error GoogLeNet-GAP 43.0 %, GoogLeNet-GMP 45.3 % (from memory), classification alike"


def run(setting: Setting) -> Figures:
    """Trains and measures every head."""
    plan = setting.budget.comparison(setting.seed)
    arms = compare_heads(
        plan, setting.work / "comparison", workers=setting.workers, threads=setting.threads, report=setting.report
    )
    first = next(iter(arms.values()))
    return {
        "patients": plan.patients,
        "held": plan.held,
        "side": plan.side,
        "epochs": plan.epochs,
        "runs": first.runs,
        "arms": {name: arm.as_dict() for name, arm in arms.items()},
    }


def page(figures: Figures) -> Page:
    """The table and what it carries."""
    arms = figures["arms"]
    columns = ["head", "AUC", "AUC of each run", "localisation error", "error, tuned", "IoU", "IoU, tuned"]
    columns += ["pointing", "extent"]
    rows = [
        [
            name,
            interval(arm["auc"]),
            ", ".join(number(value) for value in arm["auc_by_run"]),
            share(arm["error"]),
            share(arm["error_tuned"]),
            interval(arm["iou"]),
            interval(arm["iou_tuned"]),
            share(arm["pointing"]),
            share(arm["covered"]),
        ]
        for name, arm in arms.items()
    ]
    cases = next(iter(arms.values()))["cases"] // figures["runs"]
    body = f"""The same small residual network, films, schedule and augmentation; only the pooling head differs.
Learnt from image-level labels alone, by cross-entropy. {figures["patients"]} phantoms to learn from, each with a
finding also without one, {figures["side"]} px, {figures["epochs"]} epochs, {figures["runs"]} run(s) of other seeds;
measured on {figures["held"]} other phantoms with {cases} findings. The finding is given: errors of classification do
not count as errors of localisation. Error: the box by the paper's rule (20 % of the maximum, largest part), or around
the largest part above the tuned threshold, has an IoU below 0.5 with the box around the mask. Extent: share of the mask
inside the paper's region. Intervals: 95 %, bootstrap over patients.

{table(columns, rows)}

## What it says

{_verdict(arms)}

The paper: {_PAPER}. Formulas of the heads: [pooling heads](../explanation/pooling-heads.md).
"""
    return Page(body)


def _verdict(arms: dict[str, Any]) -> str:
    gap, gmp = arms["GAP"], arms["GMP"]
    alike = "not told apart" if not apart(gap["auc"], gmp["auc"]) else "told apart"
    lines = [
        f"- Classification: GAP {interval(gap['auc'])}, GMP {interval(gmp['auc'])}: {alike} by their intervals.",
        f"- Localisation error: {_compared(gap['error'], gmp['error'], lower_is_better=True)}.",
        f"- Extent: {_compared(gap['covered'], gmp['covered'], lower_is_better=False)}.",
        f"- Pointing: {_compared(gap['pointing'], gmp['pointing'], lower_is_better=False)}.",
    ]
    holds = alike == "not told apart" and gap["error"]["high"] < gmp["error"]["low"]
    lines.append(
        "- The paper's claim (classification alike, GAP localises better) holds on these films."
        if holds
        else "- The paper's claim (classification alike, GAP localises better) is not carried by these figures."
    )
    return "\n".join(lines)


def _compared(gap: dict[str, float], gmp: dict[str, float], *, lower_is_better: bool) -> str:
    words = f"GAP {share(gap)}, GMP {share(gmp)}"
    if not apart(gap, gmp):
        return f"{words}, not told apart"
    return f"{words}, {'GAP' if (gap['value'] < gmp['value']) == lower_is_better else 'GMP'} is better"


def summary(figures: Figures) -> list[Line]:
    """One row."""
    gap, gmp = figures["arms"]["GAP"], figures["arms"]["GMP"]
    here = (
        f"AUC {number(gap['auc']['value'])} / {number(gmp['auc']['value'])}, error {share(gap['error'])} / "
        f"{share(gmp['error'])}, extent {share(gap['covered'])} / {share(gmp['covered'])}"
    )
    return [Line("L3", "GAP / GMP: classification, localisation error, extent", here, _PAPER)]


HEADS = Experiment("pooling-heads", "GAP against GMP, LSE and PCAM", run, page, summary)
