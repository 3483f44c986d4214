"""L2: the tail of any network can be replaced, and the map can be made finer."""

from __future__ import annotations

from typing import Any

from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import apart, cells, interval, number, table
from medcam.service.comparison.resolution import compare_strides
from medcam.service.measure.tails import SIDE, tail_figures

_PAPER = "AlexNet, VGG and GoogLeNet with layers removed for maps of 13 x 13 and 14 x 14 cells"


def run(setting: Setting) -> Figures:
    """Cuts networks, and trains one at several resolutions of its map."""
    plan = setting.budget.comparison(setting.seed)
    networks = [figures.as_dict() for figures in tail_figures()]
    setting.report("networks cut")
    strides = compare_strides(
        plan, setting.work / "comparison", workers=setting.workers, threads=setting.threads, report=setting.report
    )
    return {
        "networks": networks,
        "side": plan.side,
        "strides": {str(stride): figures.as_dict() for stride, figures in strides.items()},
    }


def page(figures: Figures) -> Page:
    """What is kept of networks; what a finer map is worth."""
    kept = [_network(row) for row in figures["networks"]]
    strides = [
        [
            f"{stride} px",
            str(figures["side"] // int(stride)),
            *cells(arm, "auc", "error_tuned", "iou_tuned", "pointing"),
        ]
        for stride, arm in figures["strides"].items()
    ]
    columns = ("network", "pooled layer", "cells", "weights kept", "logits differ by", "map + bias - logit")
    return Page(f"""`medcam.with_gap_head` on networks with random weights, films of {SIDE} px of noise. Where the tail
is a global average and one linear layer, that layer is kept and nothing is trained; where several linear layers end
the network, no map adds up to its score, so that a new one is put behind the features and has to be trained.

{table(columns, kept)}

## A finer map

The network of [the heads](pooling-heads.md) with a GAP head, at several strides: the same layers, fewer steps of two
between them, as the paper takes layers away.

{table(("cell", "cells a side", "AUC", "localisation error, tuned", "IoU, tuned", "pointing"), strides)}

{_verdict(figures["strides"])}
""")


def _kept(row: dict[str, Any]) -> bool:
    """Whether a network's own linear layer was kept."""
    return not row["refused"]


def _network(row: dict[str, Any]) -> list[str]:
    differ = f"{row['logit_difference']:.0e}" if _kept(row) else "new linear layer"
    cells = f"{row['cells']} x {row['cells']}"
    return [
        row["network"], row["layer"], cells, f"{100 * row['kept']:.0f} %", differ, f"{row['map_difference']:.0e}"
    ]  # fmt: skip


def _verdict(strides: dict[str, Any]) -> str:
    (coarse, first), *_, (fine, last) = strides.items()
    words = (
        f"IoU {interval(first['iou_tuned'])} with cells of {coarse} px, {interval(last['iou_tuned'])} with {fine} px"
    )
    if not apart(first["iou_tuned"], last["iou_tuned"]):
        return f"{words}: not told apart."
    better = "finer" if last["iou_tuned"]["value"] > first["iou_tuned"]["value"] else "coarser"
    return f"{words}: the {better} map places findings better."


def summary(figures: Figures) -> list[Line]:
    """One row."""
    networks = figures["networks"]
    own = [row for row in networks if _kept(row)]
    worst = max(row["logit_difference"] for row in own)
    ious = ", ".join(
        f"{number(arm['iou_tuned']['value'])} at {stride} px" for stride, arm in figures["strides"].items()
    )
    here = (
        f"{len(own)} of {len(networks)} networks keep every weight (logits within {worst:.0e}), "
        f"{len(networks) - len(own)} their features; IoU by cell: {ious}"
    )
    return [Line("L2", "only the tail is replaced", here, _PAPER)]


TAILS = Experiment("any-network", "Any network with a GAP head", run, page, summary)
