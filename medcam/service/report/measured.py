"""Sections on what the record and its truth say: performance, calibration, subgroups, places, drift."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from medcam.evaluate.agreement_figure import Doubt, Figure
from medcam.evaluate.localisation import share_interval
from medcam.evaluate.performance import LEVEL, SMALL_RULE, FindingPerformance
from medcam.service.evaluation.drift import RULE
from medcam.service.evaluation.localisation_files import unknown_patients
from medcam.service.report.document import (
    Block,
    Curve,
    Curves,
    Forest,
    Paragraph,
    Picture,
    Section,
    Status,
    Table,
    Verdict,
    not_assessed,
)
from medcam.service.report.figures import mark, words
from medcam.service.report.inputs import ReportInputs

_LABELS = "no truth was given that says which findings the films have"
_GROUPS_SHOWN = 12


def performance_section(inputs: ReportInputs) -> Section:
    """AUC, operating point and predictive values of every finding."""
    rule = f"the lower end of the AUC's 95 % interval is at least {inputs.plan.min_auc:g}"
    record = inputs.performance
    if record is None:
        command = "medcam audit report --store RECORD --truth labels.csv --out report.html"
        return not_assessed("performance", "Performance", _LABELS, [command], rule)
    head = ("finding", "patients with / films", "AUC", "sensitivity", "specificity", "PPV", "NPV", "no call")
    rows = []
    for name, one in record.findings.items():
        group = one.overall
        shown = (group.auc, group.sensitivity, group.specificity, group.ppv, group.npv)
        counts = f"{group.patients_with} / {group.films}"
        rows.append((name + (" *" if group.small else ""), counts, *map(words, shown), str(group.withheld)))
    curves = tuple(Curve(name, _thinned(one.curve)) for name, one in record.findings.items() if one.curve)
    blocks: tuple[Block, ...] = (
        Paragraph(
            f"{record.films} films of {record.patients} patients in both record and truth; {record.without_truth} "
            f"films of the record without truth, {record.without_record} of the truth without record. Intervals: 95 %, "
            "patients as the unit. Sensitivity, specificity and predictive values at the model's own thresholds, "
            "without the films on which it makes no call; predictive values hold at these films' prevalence alone."
        ),
        Table(head, tuple(rows)),
        Paragraph(f"* {SMALL_RULE}"),
        Curves("ROC curves", "1 - specificity", "sensitivity", curves),
    )
    verdicts = tuple(_auc_verdict(name, one, inputs.plan.min_auc, rule) for name, one in record.findings.items())
    return Section("performance", "Performance", blocks, verdicts)


def calibration_section(inputs: ReportInputs) -> Section:
    """Whether probabilities mean what they say."""
    rule = "expected calibration error no larger than chance gives, were every probability right (upper 95 % limit)"
    if inputs.performance is None:
        command = "medcam audit report --store RECORD --truth labels.csv --out report.html"
        return not_assessed("calibration", "Calibration", _LABELS, [command], rule)
    verdicts, charts = [], []
    for name, one in inputs.performance.findings.items():
        found = one.calibration
        status = {True: Status.MEETS, False: Status.FAILS, None: Status.UNJUDGED}[found.consistent]
        chance = "" if found.by_chance is None else f"; by chance up to {found.by_chance:.3f}"
        verdicts.append(Verdict(f"Calibration, {name}", status, f"{words(found.error, 3)}{chance}", rule))
        bins = [(one.mean, one.observed) for one in found.bins if one.observed.low is not None]
        points = tuple((x, figure.value or 0.0) for x, figure in bins)
        intervals = tuple((figure.low or 0.0, figure.high or 0.0) for _, figure in bins)
        if points:
            curve = Curve("observed", points, intervals)
            charts.append(Curves(f"Reliability, {name}", "mean probability", "share with the finding", (curve,)))
    told = Paragraph("Points above the diagonal: the finding is there more often than the probability says.")
    return Section("calibration", "Calibration", (told, *charts), tuple(verdicts))


def subgroups_section(inputs: ReportInputs) -> Section:
    """Whether some patients are served worse."""
    level = f"{100 * LEVEL:.0f} %"
    rule = f"no difference of AUC between groups at {level} after Holm's correction over all findings and groups"
    record = inputs.performance
    if record is None or not record.attributes:
        why = _LABELS if record is None else "neither record nor truth has attributes with more than one group"
        commands = ["medcam audit report --store RECORD --truth labels.csv --source FILMS --out report.html"]
        return not_assessed("subgroups", "Subgroups", why, commands, rule)
    verdicts, blocks = [], []
    for attribute in record.attributes:
        tests = {name: one.tests[attribute] for name, one in record.findings.items() if attribute in one.tests}
        worst = min(tests, key=lambda name: tests[name].adjusted, default="")
        if not worst:
            verdicts.append(Verdict(attribute, Status.UNJUDGED, "no two groups with an interval of the AUC", rule))
        else:
            status = Status.FAILS if tests[worst].differs else Status.MEETS
            number = f"smallest p {tests[worst].adjusted:.3g} ({worst}), findings tested: {len(tests)}"
            verdicts.append(Verdict(attribute, status, number, rule))
        blocks += list(_group_charts(record.findings, attribute))
    told = Paragraph(
        f"{SMALL_RULE} Grey: small, or without an interval. Where no difference is found there may still be one: small "
        "groups show large ones alone."
    )
    return Section("subgroups", "Subgroups", (told, *blocks), tuple(verdicts))


def localisation_section(inputs: ReportInputs, pictures: tuple[Picture, ...], missing: str) -> Section:
    """Whether maps point at findings."""
    rule = "the lower end of the hit rate's 95 % interval is above what a random point on the film would hit"
    done = inputs.localisation
    if done is None:
        command = "medcam audit report --store RECORD --truth TRUTH --places boxes.csv --out report.html"
        return not_assessed("localisation", "Localisation", inputs.unlocated, [command], rule)
    head = ("finding", "films with it", "IoU", "hit rate", "random point", "AUPRC of pixels")
    rows, verdicts = [], []
    for name, one in done.findings.items():
        chance = "-" if one.true_share is None else f"{one.true_share:.2f}"
        shown = (words(one.iou), words(_with_width(one.hit_rate)), chance, words(one.average_precision))
        rows.append((name, str(one.positives), *shown))
        rate = _with_width(one.hit_rate)
        if rate.low is None or one.true_share is None:
            status = Status.UNJUDGED
        else:
            status = Status.MEETS if rate.low > one.true_share else Status.FAILS
        number = f"hit rate {words(rate)}; random point {chance}"
        verdicts.append(Verdict(f"Localisation, {name}", status, number, rule))
    blocks: tuple[Block, ...] = (
        Paragraph(
            f"{done.measured_films} films; the share of the peak at which a map is cut was chosen on "
            f"{done.tuning_films} films of other patients. IoU counts every film with the finding. A hit "
            f"is a peak inside the truth. {unknown_patients(done)}".rstrip()
        ),
        Table(head, tuple(rows)),
        Paragraph(missing or "The films with the highest and the lowest IoU, of all findings:"),
        *pictures,
    )
    return Section("localisation", "Localisation", blocks, tuple(verdicts))


def drift_section(inputs: ReportInputs) -> Section:
    """Whether the films are still those of before."""
    rule = f"no test finds drift at {100 * LEVEL:.0f} % after Holm's correction over all tests"
    record = inputs.drift
    if record is None:
        command = "medcam audit report --store RECORD --before EARLIER --out report.html"
        return not_assessed("drift", "Drift", "no earlier period was given", [command], rule)
    found = record.drift
    head = ("kind", "what", "test", "cases", "p", "corrected p", "drift", "change")
    rows = tuple(
        (str(one.kind), one.what, one.test.test, f"{one.test.before} + {one.test.after}", f"{one.test.p:.3g}",
         f"{one.adjusted:.3g}", "yes" if one.drifted else "no", one.change)
        for one in found.tests
    )  # fmt: skip
    told = [one.what for one in found.tests if one.drifted]
    status = Status.UNJUDGED if not found.tests else Status.FAILS if told else Status.MEETS
    number = f"{len(told)} of {len(found.tests)} tests" + (f": {', '.join(told)}" if told else "")
    untested = "".join(f" Not tested: {what} ({why})." for what, why in found.untested.items())
    blocks = (
        Paragraph(f"{record.before['name']} ({record.before['films']} films) and {record.after['name']} "
                  f"({record.after['films']} films). {RULE}{untested}"),
        Table(head, rows),
    )  # fmt: skip
    return Section("drift", "Drift", blocks, (Verdict("Drift", status, number, rule),))


def _with_width(rate: Figure) -> Figure:
    """A share of all or no films, which a bootstrap gives no width: Wilson's interval, each patient as one case."""
    if rate.value not in (0.0, 1.0) or rate.doubt is not Doubt.NO_SPREAD:
        return rate
    ends = share_interval(np.full(rate.groups, bool(rate.value)))
    return Figure(rate.value, ends.low, ends.high, rate.cases, rate.groups)


def _auc_verdict(name: str, one: FindingPerformance, least: float, rule: str) -> Verdict:
    low = one.overall.auc.low
    status = Status.UNJUDGED if low is None else Status.MEETS if low >= least else Status.FAILS
    return Verdict(f"AUC, {name}", status, words(one.overall.auc), rule)


def _group_charts(findings: Mapping[str, FindingPerformance], attribute: str) -> Iterator[Forest]:
    for name, one in findings.items():
        groups = list(one.groups.get(attribute, {}).items())[:_GROUPS_SHOWN]
        found = [mark(f"{group} (n = {each.films})", each.auc, faint=each.small) for group, each in groups]
        marks = tuple(each for each in found if each is not None)
        ends = [each.low for each in marks if each.low is not None]
        if len(ends) > 1:
            title = f"AUC, {name}, by {attribute}"
            low = max(0.0, math.floor(10.0 * min(ends)) / 10.0 - 0.1)
            yield Forest(title, "AUC", marks, reference=one.overall.auc.value, low=low, high=1.0)


def _thinned(curve: tuple[tuple[float, float], ...], most: int = 200) -> tuple[tuple[float, float], ...]:
    step = max(1, len(curve) // most)
    return (*curve[:-1:step], curve[-1])
