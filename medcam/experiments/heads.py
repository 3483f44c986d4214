"""L3: GAP against GMP, LSE and PCAM: alike in classification, apart in localisation?"""

from __future__ import annotations

from typing import Any

from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import cells, interval, number, share, table
from medcam.service.comparison.pooling import compare_heads

_PAPER = "localisation error GoogLeNet-GAP 43.0 %, GoogLeNet-GMP 45.3 % (from memory), classification alike"


def run(setting: Setting) -> Figures:
    """Trains and measures every head."""
    plan = setting.budget.comparison(setting.seed)
    figures = compare_heads(
        plan, setting.work / "comparison", workers=setting.workers, threads=setting.threads, report=setting.report
    )
    first = figures.arms["GAP"]
    return {
        "patients": plan.patients,
        "held": plan.held,
        "side": plan.side,
        "epochs": plan.epochs,
        "runs": first.runs,
        "arms": {name: arm.as_dict() for name, arm in figures.arms.items()},
        "gap_less": {name: each.as_dict() for name, each in figures.gap_less.items()},
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
            *cells(arm, "error", "error_tuned", "iou", "iou_tuned", "pointing", "covered"),
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

Paired by film and seed:

{_verdict(figures["gap_less"])}

The paper: {_PAPER}. Formulas of the heads: [pooling heads](../explanation/pooling-heads.md).
"""
    return Page(body)


def _verdict(less: dict[str, Any]) -> str:
    gmp = less["GMP"]
    lines = [f"- {words}: {_told(gmp[key], better)}." for key, (words, better) in _ASKED.items()]
    alike = gmp["auc"]["low"] > -ALIKE and gmp["auc"]["high"] < ALIKE
    holds = "holds on these films" if alike and _sign(gmp["error"]) < 0 else "is not carried by these figures"
    lines.append(
        f"- The paper's claim (classification alike, GAP localises better) {holds}; alike is a difference of AUC whose "
        f"interval stays within {number(ALIKE, 2)}."
    )
    return "\n".join(lines)


ALIKE = 0.03
"""AUC within which two heads classify alike."""

_ASKED = {
    "auc": ("AUC", 1),
    "error": ("localisation error", -1),
    "error_tuned": ("localisation error, tuned", -1),
    "covered": ("extent", 1),
    "pointing": ("pointing", 1),
}
"""Field, words, and which sign is the better one."""


def _sign(difference: dict[str, float]) -> int:
    """1 or -1 where the interval has one sign, else 0."""
    return int(difference["low"] > 0.0) - int(difference["high"] < 0.0)


def _told(difference: dict[str, float], better: int) -> str:
    sign = _sign(difference)
    words = "not told apart" if not sign else "GAP is better" if sign == better else "GMP is better"
    return f"GAP less GMP {interval(difference)}, {words}"


def summary(figures: Figures) -> list[Line]:
    """One row."""
    gap, gmp = figures["arms"]["GAP"], figures["arms"]["GMP"]
    here = (
        f"AUC {number(gap['auc']['value'])} / {number(gmp['auc']['value'])}, error {share(gap['error'])} / "
        f"{share(gmp['error'])}, extent {share(gap['covered'])} / {share(gmp['covered'])}"
    )
    return [Line("L3", "GAP / GMP: classification, localisation error, extent", here, _PAPER)]


HEADS = Experiment("pooling-heads", "GAP against GMP, LSE and PCAM", run, page, summary)
