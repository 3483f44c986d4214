"""L7: are the places that a score comes from the places where the finding is known to lie?"""

from __future__ import annotations

from typing import Any

from medcam.anatomy.structures import lies_within
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.phantom_cohort import MODEL, phantom_cohort
from medcam.experiments.tables import interval, number, share, table
from medcam.service.evaluation.anatomy import anatomy_chart, evaluate_anatomy

_PICTURE = "anatomy-behind-findings.svg"
_MOST = 3


def run(setting: Setting) -> Figures:
    """Looks at a cohort of phantoms with exact zones."""
    figures = evaluate_anatomy(phantom_cohort(setting), MODEL)
    return {"anatomy": figures.as_dict(), "chart": anatomy_chart(figures)}


def page(figures: Figures) -> Page:
    """The table, the figure, what stands out."""
    anatomy = figures["anatomy"]
    rows = [
        [
            name,
            str(finding["n"]),
            finding["expected_words"] or "-",
            share(finding["expected_share"]),
            f"{100 * _expected_area(finding):.1f} %" if finding["expected"] else "-",
            _strongest(finding),
        ]
        for name, finding in anatomy["findings"].items()
    ]
    columns = ("finding", "films", "expected", "evidence there", "area of the largest such place", "highest enrichment")
    body = f"""The shipped model on {anatomy["films"]} phantoms that it was not trained on, with exact zones. For each
finding, over the films that truly have it: the share of the map's positive evidence in the places where a textbook
expects the finding, and the places whose share is highest for their area (enrichment; 1 is what evidence without any
preference would give). Intervals: 95 %, bootstrap over patients. `medcam evaluate anatomy` does the same for any
cohort.

{table(columns, rows)}

![Enrichment of every zone and structure for each finding]({_PICTURE})

## What it says

{_verdict(anatomy["findings"])}
"""
    return Page(body, {_PICTURE: figures["chart"]})


def _expected_area(finding: dict[str, Any]) -> float:
    return float(max(finding["places"][place]["area"] for place in finding["expected"]))


def _ranked(finding: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    known = [
        (name, row["enrichment"]) for name, row in finding["places"].items() if isinstance(row["enrichment"], dict)
    ]
    return sorted(known, key=lambda item: -item[1]["value"])


def _expected(finding: dict[str, Any], place: str) -> bool:
    return lies_within(place, finding["expected"])


def _strongest(finding: dict[str, Any]) -> str:
    return ", ".join(f"{name} {number(figure['value'], 1)}" for name, figure in _ranked(finding)[:_MOST])


def _verdict(findings: dict[str, Any]) -> str:
    lines = []
    for name, finding in findings.items():
        if not finding["expected"]:
            continue
        first, figure = _ranked(finding)[0]
        fits = "an expected place" if _expected(finding, first) else "not an expected place"
        lines.append(
            f"- {name}: most enriched in {first} ({interval(figure, 1)}), {fits}; "
            f"{share(finding['expected_share'])} of the evidence in the expected ones together."
        )
    return "\n".join(lines)


def summary(figures: Figures) -> list[Line]:
    """One row."""
    findings = figures["anatomy"]["findings"]
    known = {name: finding for name, finding in findings.items() if finding["expected"]}
    fit = sum(_expected(finding, _ranked(finding)[0][0]) for finding in known.values())
    named = [name for name in ("Cardiomegaly", "Pleural Effusion") if name in known]
    words = "; ".join(
        f"{name} {share(known[name]['expected_share'])} in {known[name]['expected_words']}" for name in named
    )
    here = f"{fit} of {len(known)} findings are most enriched in an expected place" + (f"; {words}" if words else "")
    return [Line("L7", "anatomy behind findings", here, "often the real objects of a scene (in pictures)")]


ANATOMY = Experiment("anatomy-behind-findings", "The anatomy behind findings", run, page, summary)
