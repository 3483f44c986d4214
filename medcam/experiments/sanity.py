"""Sanity checks of maps: randomised weights and labels, noise, another seed, window, crop and flip, by every method."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import interval, table
from medcam.service.evaluation.sanity import CASCADE, LABELS, LAYER, MODELS, evaluate_sanity
from medcam.service.measure.sanity_models import SanityPlan, sanity_models


def judged_models(setting: Setting) -> tuple[Path, Path, Path]:
    """Small networks: first, second, and one that learnt shuffled labels; trained once per budget."""
    plan = SanityPlan(
        patients=setting.budget.of(24, 240, 1200),
        size=setting.budget.of(64, 64, 128),
        epochs=setting.budget.of(1, 10, 20),
    )
    return sanity_models(plan, setting.work / f"sanity-{setting.budget}", workers=setting.workers)


_COMPARED = ("cam", "guided-backprop")
"""The method of the decisions, and the one that is known to be bad."""


def run(setting: Setting) -> Figures:
    """Trains three small networks, and judges the first one's maps."""
    first, second, shuffled = judged_models(setting)
    record = evaluate_sanity(
        first,
        methods=("cam", "guided-backprop") if setting.budget.of(1, 0, 0) else (),
        second=second,
        shuffled=shuffled,
        films=setting.budget.of(2, 16, 40),
        seed=setting.seed,
        progress=setting.report,
    )
    return {**asdict(record), "verdicts": {name: str(record.verdict(name)) for name in record.methods}}


def page(figures: Figures) -> Page:
    """A verdict per method, then each test."""
    return Page(f"""A small GAP network on {figures["films"]} phantoms, each judged for one finding that is there
(`medcam evaluate sanity`), a second network that learnt the same films from another seed, and a third that learnt them
with their labels shuffled. [What these tests can and cannot tell](../explanation/testing-heatmaps.md).

The rule: {figures["rule"]}. Intervals are 95 % over patients.

## Verdicts

{_verdicts(figures)}

Each cell: mean Spearman correlation with the map of the untouched model and film, and the verdict. "Unrelated" is the
mean of pairs of unrelated films. A map must be lost where weights or labels are random, and kept in the other tests.
What stands in brackets has no part in the verdict: flip, since a mirrored chest is another patient, and two models
where they do not answer alike.

## Cascading randomisation, from the output down

{_stages(figures, CASCADE)}

## One group of layers at random, the others as learnt

{_stages(figures, LAYER)}

## Other measures

At the last stage of the cascade and with shuffled labels, by structural similarity (SSIM) and by histograms of oriented
gradients (HOG), each against its own mean of unrelated films. They are here to be read: SSIM of smooth maps is high
whatever they show.

{_measures(figures)}

## What it says

{_told(figures)}
""")


def _deciding(figures: Figures) -> list[str]:
    rows = [row for row in figures["rows"] if row["measure"] == "spearman"]
    return list(dict.fromkeys(row["test"] for row in rows if _shown(row)))


def _verdicts(figures: Figures) -> str:
    tests = _deciding(figures)
    lines = []
    for method, verdict in figures["verdicts"].items():
        own = [row for row in figures["rows"] if row["method"] == method and row["measure"] == "spearman"]
        shown = {row["test"]: row for row in own if _shown(row)}
        cells = [_cell(shown[test]) if test in shown else "-" for test in tests]
        lines.append([_name(own[0]), verdict, f"{own[0]['unrelated']:.2f}", *cells])
    return table(("method", "verdict", "unrelated", *tests), lines, words=True)


def _shown(row: dict[str, Any]) -> bool:
    return bool(row["decides"] or row["test"] in ("flip", MODELS))


def _cell(row: dict[str, Any]) -> str:
    said = f"{_value(row)} {row['verdict']}"
    return said if row["decides"] else f"({said})"


def _stages(figures: Figures, test: str) -> str:
    rows = [row for row in figures["rows"] if row["test"] == test and row["measure"] == "spearman"]
    details = list(dict.fromkeys(row["detail"] for row in rows))
    lines = []
    for method in figures["verdicts"]:
        own = {row["detail"]: row for row in rows if row["method"] == method}
        if own:
            cells = [_value(own[detail]) if detail in own else "-" for detail in details]
            lines.append([_name(next(iter(own.values()))), *cells])
    return table(("method", *details), lines)


def _measures(figures: Figures) -> str:
    rows = [row for row in figures["rows"] if row["test"] in (CASCADE, LABELS)]
    last = [row["detail"] for row in rows if row["test"] == CASCADE][-1:]
    lines = [
        [f"{_name(row)}, {row['test']}, {row['measure']}", _figure(row["similarity"]), f"{row['unrelated']:.2f}"]
        for row in rows
        if row["measure"] != "spearman" and (row["test"] == LABELS or row["detail"] in last)
    ]
    return table(("method, test, measure", "similarity", "unrelated"), lines)


def _name(row: dict[str, Any]) -> str:
    return f"`{row['method']}`" + (" (known bad)" if row["control"] else "")


def _value(row: dict[str, Any]) -> str:
    value = row["similarity"]["value"]
    return "-" if value is None else f"{value:.2f}"


def _figure(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "-"
    return f"{figure['value']:.2f}" if figure["low"] is None else interval(figure, 2)


def _told(figures: Figures) -> str:
    lines = []
    for kind in ("passed", "failed", "undecided"):
        names = [f"`{name}`" for name, verdict in figures["verdicts"].items() if verdict == kind]
        lines.append(f"- {kind}: {', '.join(names) or 'none'}.")
    lines += [f"- {note}." for note in figures["notes"]]
    lines += [f"- Passed over: {name} (`{code}`)." for name, code in figures["skipped"].items()]
    return "\n".join(lines)


def summary(figures: Figures) -> list[Line]:
    """Verdicts, and the tests that decided them for the map of GAP and for the known-bad method."""
    counts = [f"{list(figures['verdicts'].values()).count(kind)} {kind}" for kind in ("passed", "failed", "undecided")]
    failed = {name: _failed(figures, name) for name in _COMPARED if name in figures["verdicts"]}
    why = [f"`{name}` fails {', '.join(tests) or 'none'}" for name, tests in failed.items()]
    what = f"sanity of {len(figures['verdicts'])} methods, {figures['films']} phantoms"
    return [Line("", what, "; ".join([", ".join(counts), *why]))]


def _failed(figures: Figures, method: str) -> list[str]:
    rows = [row for row in figures["rows"] if row["method"] == method and row["measure"] == "spearman"]
    return list(dict.fromkeys(row["test"] for row in rows if row["decides"] and row["verdict"] == "failed"))


SANITY = Experiment("sanity", "Sanity checks of maps", run, page, summary)
