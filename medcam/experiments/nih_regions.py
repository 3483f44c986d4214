"""`nih-regions`: which region rule suits `nih-opacity`, ranked on planted opacities, then held to readers' boxes."""

from __future__ import annotations

from typing import Any

from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting, real_films
from medcam.experiments.tables import interval, number, share, table
from medcam.service.opacity.films import opacity_films
from medcam.service.opacity.region_rules import run_regions

COMMAND = "medcam experiments --only nih-regions --data DIR"
_AIM = 0.25


def run(setting: Setting) -> Figures:
    """Compares rules on maps of the shipped weights; lung zones are taken from the work folder of `nih-opacity`.

    Raises:
        UsageError: No folder of films is named (code `no-films`).
    """
    data = real_films(setting, COMMAND)
    work = setting.work / f"nih-opacity-{setting.budget}" / f"features-{setting.seed}"
    work.mkdir(parents=True, exist_ok=True)
    return run_regions(opacity_films(data), work, setting.seed, setting.report)


def page(figures: Figures) -> Page:
    """The criterion, the table, the verdict."""
    rows = [_row(row, figures["first"]) for row in figures["rows"]]
    return Page(f"""The regions of [`nih-opacity`](nih-opacity.md) are small beside readers' boxes. Here region rules
are compared on maps of the shipped weights ({figures["weights"][:12]}). Research use. Not a medical device.

## What is held out

The shipped weights learnt from pairs alone: films without a reported finding, without and with a planted opacity.
Measured are the {figures["unseen"]} of {figures["boxed"]} films with readers' boxes whose patient has no such film: the
weights saw no film of them (the logit's scale and shift were fitted to labels of all films; neither moves a fraction
of the peak; the mean lung zones that training drew on were averaged over all films).
The planted opacities below are new draws, but on films that the weights know without
them: that makes the ranking kinder, not the figures on boxes. No reader's box and no reading trains, calibrates or
ranks anything here; that these weights were chosen, [the study](nih-opacity.md) tells.

## Criterion

Thresholds are fractions of the map's peak, with the largest part, all parts, or parts of a smallest share of the
evidence. Half the patients with a planted opacity ({figures["planted"]} opacities in all) choose them. Variants are
ranked on the other half: IoU with *boxes* around planted opacities, since readers draw boxes, of *zonal* opacities
({figures["zonal"]} of both kinds), whose cells cover at least half the mean lung zone (a third of a lung). A size from
anatomy, not from boxes. First comes **{figures["first"]}**; smoothing, which the product does not do, cannot be
first.

## Measured

{table(_COLUMNS, rows)}

Planted: the criterion. IoU, IoBB (share of the region inside the boxes) and area (share of the film) on
{figures["unseen"]} films with readers' boxes, measured after the ranking. Intervals: 95 %, bootstrap by patient.
*Boxes of parts*: the region is the union of the boxes around the map's parts, which every region of a result carries.
This page changes no card: the model keeps the rule that its card names.

## What it says

{_verdict(figures)}
""")


_COLUMNS = ("region", "threshold", "parts kept", "planted", "IoU", "IoBB", "area")


def _row(row: dict[str, Any], first: str) -> list[str]:
    rule, readers = row["rule"], row["readers"]
    kept = (
        "largest"
        if rule["largest_only"]
        else f"share of {number(rule['smallest_share'], 2)}"
        if (rule["smallest_share"])
        else "all"
    )
    name = f"**{row['name']}**" if row["name"] == first else row["name"]
    figures = (interval(row["planted"], 2), interval(readers["iou"], 2), interval(readers["iobb"], 2))
    return [name, number(rule["threshold"], 2), kept, *figures, share(readers["area"])]


def _first(figures: Figures) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in figures["rows"] if row["name"] == figures["first"])
    return found


def _verdict(figures: Figures) -> str:
    before, after = figures["rows"][0]["readers"]["iou"], _first(figures)["readers"]["iou"]
    reached = "reached" if after["value"] >= _AIM else "not reached"
    apart = "do not overlap" if after["low"] > before["high"] or before["low"] > after["high"] else "overlap"
    return (
        f"- IoU of the rule that comes first: {interval(after, 2)}, against {interval(before, 2)} of the first row's "
        f"(intervals {apart}).\n- The aim of {number(_AIM, 2)} was {reached}."
    )


def summary(figures: Figures) -> list[Line]:
    """The IoU of the first row and of the rule that comes first."""
    before, after = figures["rows"][0]["readers"]["iou"], _first(figures)["readers"]["iou"]
    here = f"IoU on readers' boxes {interval(before, 2)}; by the rule that comes first {interval(after, 2)}"
    return [Line("", "region rules for lung opacity, ranked on planted opacities", here)]


NIH_REGIONS = Experiment("nih-regions", "Region rules for lung opacity on real films", run, page, summary)
