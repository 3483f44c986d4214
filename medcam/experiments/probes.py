"""L6: deep features of a frozen network find what it was never trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from medcam.evaluate.curves import line_charts
from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.tables import apart, interval, number, share, table
from medcam.service.measure.held_out import HeldOutPlan
from medcam.service.measure.probe_curve import ProbeCurvePlan, probe_curve

_PICTURE = "probes.svg"
_METHODS = {"svm": "linear SVM", "logistic": "logistic regression"}
_PLANS = {
    Budget.SLICE: ProbeCurvePlan(HeldOutPlan(patients=24, size=64, epochs=1), (4, 6), 1, pool=60, test=60),
    Budget.QUICK: ProbeCurvePlan(HeldOutPlan(patients=240, size=96, epochs=3), (10, 25), 2, pool=240, test=160),
    Budget.FULL: ProbeCurvePlan(),
}


def run(setting: Setting) -> Figures:
    """Trains the model without some findings, and fits probes for these."""
    plan = replace(_PLANS[setting.budget], seed=setting.seed)
    curve = probe_curve(
        plan,
        setting.work / f"probes-{setting.budget}",
        workers=setting.workers,
        threads=setting.threads or 1,
        report=setting.report,
    )
    return curve.as_dict()


def page(figures: Figures) -> Page:
    """Learning curves by layer and kind of detector."""
    counts = figures["plan"]["counts"]
    held = " and ".join(figures["plan"]["model"]["findings"])
    chance = ", ".join(f"{name} {100 * value:.1f} %" for name, value in figures["pointing_chance"].items())
    draws = figures["plan"]["draws"]
    body = f"""A small GAP network was trained without {held}: on {figures["trained_on"]}. Then it was frozen. A
probe is a linear detector on the average of one layer's features, fitted to so many films with the finding and twice as
many without; its weights give the map, as the class weights do. {draws} draw(s) of films for each figure; measured on
{figures["test_films"]} other phantoms. Pointing, with most films: the map's highest cell lies on the mask; by chance:
{chance}.
`medcam probe fit` does the same for any films.

{table(("finding", "layer", "detector", *(f"AUC, {count} films" for count in counts), "pointing"), _rows(figures))}

![AUC over the number of films with the finding, for each layer, linear SVM]({_PICTURE})

## What it says

{_verdict(figures)}
"""
    return Page(body, {_PICTURE: line_charts(_curves(figures), x_label=f"films with it: {_counts(figures)}")})


def _rows(figures: Figures) -> list[list[str]]:
    """A row per finding, layer and kind of detector: the AUC for each number of films, the pointing for the last."""
    kinds = dict.fromkeys((point["finding"], point["layer"], point["method"]) for point in figures["points"])
    rows = []
    for finding, layer, method in kinds:
        own = {each["positives"]: each for each in _of(figures, finding=finding, layer=layer, method=method)}
        aucs = [interval(own[count]["auc"]) if count in own else "-" for count in figures["plan"]["counts"]]
        rows.append([finding, layer, _METHODS[method], *aucs, share(own[max(own)]["pointing"])])
    return rows


def _counts(figures: Figures) -> str:
    return ", ".join(str(count) for count in figures["plan"]["counts"])


def _of(figures: Figures, **wanted: object) -> list[dict[str, Any]]:
    return [point for point in figures["points"] if all(point[key] == value for key, value in wanted.items())]


def _curves(figures: Figures) -> dict[str, dict[str, list[float]]]:
    return {
        f"AUC, {finding}": {
            layer: [point["auc"]["value"] for point in _of(figures, finding=finding, layer=layer, method="svm")]
            for layer in figures["channels"]
        }
        for finding in figures["plan"]["model"]["findings"]
        if _of(figures, finding=finding, method="svm")
    }


def _best(points: list[dict[str, Any]]) -> dict[str, Any]:
    return max(points, key=lambda point: float(point["auc"]["value"]))


def _verdict(figures: Figures) -> str:
    lines = []
    for finding in figures["plan"]["model"]["findings"]:
        own = _of(figures, finding=finding, method="svm")
        if not own:
            continue
        most = max(point["positives"] for point in own)
        best = _best([point for point in own if point["positives"] == most])
        same = [point for point in own if point["layer"] == best["layer"]]
        curve = ", ".join(f"{number(point['auc']['value'])} with {point['positives']}" for point in same)
        chance = "above chance" if best["auc"]["low"] > 0.5 else "not told from chance"
        lines.append(f"- {finding}, never trained on: AUC {curve} on {best['layer']}, {chance}.")
        lines.append(f"- {finding}: {_layers(own, most)}")
        lines.append(f"- {finding}: {_methods(figures, finding, best)}")
    return "\n".join(lines)


def _layers(points: list[dict[str, Any]], most: int) -> str:
    at = {point["layer"]: point for point in points if point["positives"] == most}
    best = _best(list(at.values()))
    told = ", ".join(f"{layer} {interval(point['auc'])}" for layer, point in at.items())
    worse = [layer for layer, point in at.items() if apart(point["auc"], best["auc"])]
    words = f"apart from the best by their intervals: {', '.join(worse)}" if worse else "not told apart"
    return f"layers with {most} films: {told}; {words}."


def _methods(figures: Figures, finding: str, best: dict[str, Any]) -> str:
    other = _of(figures, finding=finding, layer=best["layer"], method="logistic", positives=best["positives"])
    if not other:
        return "no other detector was tried."
    words = "told apart" if apart(best["auc"], other[0]["auc"]) else "not told apart"
    return f"linear SVM {interval(best['auc'])}, logistic regression {interval(other[0]['auc'])}, {words}."


def summary(figures: Figures) -> list[Line]:
    """One row."""
    parts = []
    for finding in figures["plan"]["model"]["findings"]:
        own = _of(figures, finding=finding, method="svm")
        if own:
            best = _best(own)
            parts.append(
                f"{finding}: AUC {interval(best['auc'])}, pointing {share(best['pointing'])} with "
                f"{best['positives']} films on {best['layer']}"
            )
    return [
        Line("L6", "a finding never trained on", "; ".join(parts), "accuracy near that of fc7 features on eight sets")
    ]


PROBES = Experiment("probes", "Deep features for findings that were never trained on", run, page, summary)
