"""English, of the page on agreement."""

from __future__ import annotations

from collections.abc import Mapping

AGREEMENT: Mapping[str, str] = {
    "page.agreement": "Agreement",
    "agreement.phase": "Phase",
    "agreement.phase.blind": "Blind",
    "agreement.phase.aided": "Aided",
    "agreement.model": "Model",
    "agreement.finding": "Finding",
    "agreement.period": "Period",
    "agreement.period.all": "All",
    "agreement.period.365": "Last 365 days",
    "agreement.period.90": "Last 90 days",
    "agreement.period.30": "Last 30 days",
    "agreement.export": "Export as CSV",
    "agreement.no-model": "No model has spoken yet.",
    "agreement.no-answers": "No answers in this phase and period yet.",
    "agreement.other-phase": "{phase}: {count} answers.",
    "agreement.how-blind": "Blind answers come of first reads: switch on “{switch}” on the page {page} before a "
    "film is opened.",
    "agreement.how-aided": "Aided answers come of the page {page}: agree, disagree, wrong region or missed, beside "
    "what the model says.",
    "agreement.blind-note": "Independent answers, given before the model was shown. Agreement is not accuracy: "
    "reader and model may be wrong together.",
    "agreement.aided-note": "These readers had been shown the model’s call, and an answer is drawn to what was "
    "shown: agreement is higher here than between independent readers. Do not take it for a measure of the model.",
    "agreement.own-note": "You see your own answers, and other readers without their names, on films that you have "
    "answered about too.",
    "agreement.few": "{patients} patients: too few for intervals, which begin at {least}. The figures may change "
    "much with the next answers.",
    "agreement.small": "{patients} patients for {finding}: with fewer than {least} an interval is wide, and often "
    "still too narrow.",
    "agreement.readers": "Readers",
    "agreement.films": "Films",
    "agreement.patients": "Patients",
    "agreement.answers": "Answers",
    "agreement.left-out": "Not counted against the model",
    "agreement.left-out.changed": "{count} changed later",
    "agreement.left-out.uncertain": "{count} uncertain",
    "agreement.left-out.withheld": "{count} withheld (out of distribution)",
    "agreement.left-out.silent": "{count} without a word of the model",
    "agreement.left-out.other-model": "{count} about another model",
    "agreement.none-left-out": "none",
    "agreement.findings": "All answers beside the model’s calls, by finding",
    "agreement.with-model": "Readers and model · {finding}",
    "agreement.between": "Reader and reader · {finding}",
    "agreement.no-pair": "No two readers have answered about this finding of the same film.",
    "agreement.changes": "Blind, then aided: what readers changed when they saw the model’s call · all findings",
    "agreement.no-changes": "Nobody has answered about the same finding of a film blind and aided.",
    "agreement.reader": "Reader",
    "agreement.you": "You",
    "agreement.pseudonym": "Reader {number}",
    "agreement.both-readers": "Readers",
    "agreement.reader-calls": "Readers’ yes",
    "agreement.model-calls": "Model’s yes",
    "agreement.kappa": "Cohen’s κ",
    "agreement.scale": "−0.4 to 1",
    "agreement.alpha": "Among readers, α",
    "agreement.percent": "Agree",
    "agreement.adjusted": "PABAK",
    "agreement.auc-confidence": "AUC, confidence",
    "agreement.auc-probability": "AUC, probability",
    "agreement.auc-first": "AUC, 1st’s confidence",
    "agreement.auc-second": "AUC, 2nd’s confidence",
    "agreement.iou": "Region IoU",
    "agreement.kept": "Regions kept",
    "agreement.twice": "Read twice",
    "agreement.toward": "Turned to the model",
    "agreement.away": "Turned away from it",
    "agreement.settled": "Sure only after",
    "agreement.unsettled": "Unsure after",
    "agreement.of": "{count} of {total}",
    "agreement.doubt.no-cases": "",
    "agreement.doubt.one-category": "undefined: one answer throughout",
    "agreement.doubt.one-sided": "0 whatever the other says",
    "agreement.doubt.few": "too few patients",
    "agreement.doubt.no-spread": "no spread to draw from",
    "agreement.doubt.unstable": "one answer too rare",
    "agreement.read-out": "{measure} {figure}, {cases} pairs, {patients} patients",
    "agreement.over-time.week": "Over time, by week (UTC)",
    "agreement.over-time.month": "Over time, by month (UTC)",
    "agreement.curve-confidence": "Confidence as a grade of the model’s calls",
    "agreement.curve-probability": "Model’s probability as a grade of answers",
    "agreement.no-curve-confidence": "No curve: confidence is asked for in blind reads, and the model must have "
    "called some films present and some absent.",
    "agreement.no-curve-probability": "No curve: there must be answers of both kinds, present and absent.",
    "agreement.series-model": "Reader and model, κ",
    "agreement.series-readers": "Among readers, α",
    "agreement.axis-kappa": "κ, α",
    "agreement.axis-period": "First day",
    "agreement.axis-false": "Called, of the absent",
    "agreement.axis-true": "Called, of the present",
    "agreement.reading": "How to read these figures",
    "agreement.reading.kappa": "**κ** (Cohen) is agreement beyond chance: 1 is full agreement, 0 what chance gives. "
    "It falls where a finding is rare even though almost all answers agree, so **Agree** (share of equal answers) "
    "and **PABAK** (2 × Agree − 1) stand beside it.",
    "agreement.reading.alpha": "**α** (Krippendorff) is the same idea for any number of readers, who need not all "
    "have read every film.",
    "agreement.reading.auc": "**AUC, confidence**: how well a reader’s confidence (0 to 100) tells the model’s "
    "present from its absent. **AUC, probability**: how well the model’s probability tells the reader’s present "
    "from their absent. Neither knows the truth.",
    "agreement.reading.region": "**Region IoU** has only places that a reader drew: regions that were found right "
    "were not drawn again. **Regions kept** says how often that was.",
    "agreement.reading.interval": "Intervals are 95 %, by bootstrap over patients. A ring is a figure without one. "
    "The last answer of each reader to each finding of a film counts.",
}
