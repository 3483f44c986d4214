"""L10: each channel is the response of its kernel, and its weight is its importance for the finding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medcam.core.codes import slug
from medcam.core.geometry import Box
from medcam.evaluate.localisation import share_interval
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.phantom_cohort import MODEL, phantom_cohort
from medcam.experiments.tables import number, share, table
from medcam.service.evaluation.units import UnitsFigures, evaluate_units
from medcam.service.phantoms.truth import read_truth

UNITS, PATCHES = 4, 6


def run(setting: Setting) -> Figures:
    """Finds the units of a cohort of phantoms, and draws them."""
    cohort = phantom_cohort(setting)
    figures = evaluate_units(cohort, MODEL, units=UNITS, patches=PATCHES, out=setting.pictures)
    boxes = _boxes(cohort)
    return {
        "units": figures.as_dict(),
        "on_finding": {name: _on_finding(name, figures, boxes) for name in figures.findings},
    }


def _boxes(cohort: Path) -> dict[str, Mapping[str, Box]]:
    """Boxes of the true findings, by film and finding."""
    return {
        truth.file_path.relative_to(cohort).as_posix(): {finding.name: finding.box for finding in truth.findings}
        for truth in read_truth(cohort).values()
        if truth.file_path is not None
    }


def _on_finding(name: str, figures: UnitsFigures, boxes: Mapping[str, Mapping[str, Box]]) -> dict[str, Any]:
    """Patches of the finding's units that truly show it."""
    hits = [
        name in boxes[each.film] and boxes[each.film][name].contains(each.x, each.y)
        for unit in figures.findings[name].units
        for each in unit.excited
    ]
    found = share_interval(hits)
    films = figures.findings[name].films / figures.films
    return {
        "patches": len(hits),
        "share": {"value": found.value, "low": found.low, "high": found.high},
        "films_with": films,
    }


def page(figures: Figures) -> Page:
    """A table and a picture per finding."""
    units, on_finding = figures["units"], figures["on_finding"]
    rows = [
        [
            name,
            str(finding["films"]),
            ", ".join(f"{unit['share']['unit']} ({number(unit['share']['present'], 2)})" for unit in finding["units"]),
            f"{100 * finding['covered']:.0f} %",
            share(on_finding[name]["share"], 0),
            f"{100 * on_finding[name]['films_with']:.0f} %",
        ]
        for name, finding in units["findings"].items()
    ]
    score = "the logit" if units["score"] == "logit" else "the finding's own unit before its softplus"
    pictures = "\n\n".join(f"![{name}: patches that excite its units](units-{slug(name)}.png)" for name in on_finding)
    columns = ("finding", "films", "units (what they add)", "of all that adds", "patches on it", "films with it")
    body = f"""The {units["units"]} channels of {units["layer"]} of the shipped model over {units["films"]} phantoms
that it was not trained on. Weight x mean activation over the films with a finding is what a unit adds to {score};
below, the {UNITS} units that add most, their part of all that adds, and how many of the places that excite them most
(one per film, {PATCHES} films a unit) lie in the true box of the finding, beside the share of films that have it.

{table(columns, rows)}

{pictures}

## What it says

{_verdict(on_finding)}
"""
    return Page(body)


def _specific(row: dict[str, Any]) -> bool:
    """Whether the patches show the finding more often than films have it anywhere."""
    return bool(row["share"]["low"] > row["films_with"])


def _verdict(on_finding: dict[str, Any]) -> str:
    good = [name for name, row in on_finding.items() if _specific(row)]
    bad = [name for name in on_finding if name not in good]
    lines = [f"- Units that show their finding more often than films have it: {', '.join(good) or 'of no finding'}."]
    if bad:
        lines.append(
            f"- Not told from any other place: {', '.join(bad)}. A finding is made of units that others share."
        )
    return "\n".join(lines)


def summary(figures: Figures) -> list[Line]:
    """One row."""
    rows = figures["on_finding"]
    good = sum(map(_specific, rows.values()))
    here = f"units of {good} of {len(rows)} findings are excited by the finding itself more often than films have it"
    return [Line("L10", "class-specific units", here, "patches of objects and scene parts, in pictures")]


UNITS_EXPERIMENT = Experiment("units", "The units behind findings", run, page, summary)
