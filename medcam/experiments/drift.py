"""Drift: how often the tests alarm where nothing drifted, and how often they see what was planted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import share, table
from medcam.service.measure.drift import DriftPlan, measure_drift_tests

_PLANS = {
    Budget.SLICE: DriftPlan(films=26, changed=12, period=12, rounds=4, size=128),
    Budget.QUICK: DriftPlan(films=200, changed=60, period=60, rounds=200, size=256),
    Budget.FULL: DriftPlan(),
}
_COLUMNS = ("what was planted", "share of the films", "seen", "by tests of", "films or patients")


def run(setting: Setting) -> Figures:
    """Draws periods without drift and with planted drift, and counts alarms."""
    plan = replace(_PLANS[setting.budget], seed=setting.seed)
    return measure_drift_tests(plan, report=setting.report).as_dict()


def page(figures: Figures) -> Page:
    """False alarms, and power by what was planted and how many films of a period have it."""
    plan, still = figures["plan"], figures["still"]
    body = f"""`medcam evaluate drift` compares two periods with several tests, all of them one family under Holm's
correction at 5 %. Here two periods of {plan["period"]} phantoms each are drawn without overlap, {plan["rounds"]}
times, from {plan["films"]} phantoms that the shipped model was not trained on (planted drift: a quarter as often).
Intervals: 95 %, Wilson, over rounds. The rounds share their pool of films, so they are not independent of each other
and the intervals are somewhat too narrow.

## Nothing drifted

Both periods are draws from the same phantoms. An alarm is false.

{table(("tests", "per comparison", "comparisons with an alarm"), _still(still))}

## Something drifted

In the later period a share of the films is changed, or taken from some patients alone.

{table(_COLUMNS, _power(figures), words=True)}

## What it says

{_words(figures)}
"""
    return Page(body)


def _still(still: dict[str, Any]) -> list[list[str]]:
    named = {"any": "all together, corrected", "uncorrected": "all together, were they not corrected"}
    return [
        [named.get(kind, f"{kind} alone, corrected with the others"), f"{row['tests']:.1f}", share(row["alarms"])]
        for kind, row in still.items()
    ]


def _power(figures: Figures) -> list[list[str]]:
    return [
        [
            row["planted"],
            f"{100 * row['share']:.0f} %",
            share(row["seen"]),
            ", ".join(_by(row, kind, value) for kind, value in row["by_kind"].items() if value > 0) or "-",
            row["what"],
        ]
        for row in figures["planted"]
    ]


def _by(row: dict[str, Any], kind: str, value: float) -> str:
    """A kind of tests; of the two tests of the films each."""
    parts = "; ".join(f"{what} {100 * part:.0f} %" for what, part in row["by_input"].items())
    return f"{kind} {100 * value:.0f} %" + (f" ({parts})" if kind == "input" else "")


def _words(figures: Figures) -> str:
    alarm, loose = figures["still"]["any"]["alarms"], figures["still"]["uncorrected"]["alarms"]
    most = max((row["share"] for row in figures["planted"]), default=1.0)
    whole = [row for row in figures["planted"] if row["share"] == most]
    missed = [row["planted"] for row in whole if row["seen"]["value"] < 0.8]
    seen = [row["planted"] for row in whole if row["seen"]["value"] >= 0.8]
    lines = [
        f"- Where nothing drifted, {share(alarm)} of comparisons gave an alarm; at most 5 % were promised. Without the "
        f"correction it would have been {share(loose)}.",
        f"- Seen in at least 80 % of comparisons when {100 * most:.0f} % of the films have it: "
        f"{', '.join(seen) or 'none'}.",
        f"- Seen less often: {', '.join(missed) or 'none'}.",
        "- An alarm says that the films are others, not that the model does worse on them.",
    ]
    return "\n".join(lines)


def summary(figures: Figures) -> list[Line]:
    """False alarms where nothing drifted, and what is seen where every film has it."""
    whole = [row for row in figures["planted"] if row["share"] == 1.0]
    seen = "; ".join(f"{row['planted']} {share(row['seen'])}" for row in whole)
    period = figures["plan"]["period"]
    here = f"false alarms {share(figures['still']['any']['alarms'])}; seen when all films have it: {seen or 'none'}"
    return [Line("", f"drift between two periods of {period} phantoms: false alarms and power", here)]


DRIFT = Experiment("drift", "Drift: false alarms and power", run, page, summary)
