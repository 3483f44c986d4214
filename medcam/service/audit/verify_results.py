"""Verification of a results folder: every result that the run names is there, undamaged, and adds up."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from medcam.core.errors import MedcamError
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding
from medcam.service.annotate.instance_output import RECEIPT_NAME, read_receipt
from medcam.service.audit.results import ResultsFolder
from medcam.service.explanations.explanation_json import FILE_NAME, read_explanation

LOGIT_TOLERANCE = 1e-4
"""Largest difference, in logit units, between a score on record and what its own map and bias add up to."""
PROBABILITY_TOLERANCE = 1e-6


class ResultFault(StrEnum):
    """What is wrong with a results folder; codes do not change."""

    INCOMPLETE = "manifest-missing"
    MISSING = "result-missing"
    BROKEN = "result-broken"
    CHANGED = "result-changed"
    FILE_MISSING = "file-missing"
    OTHER_MODEL = "other-model"
    LEDGER = "ledger-broken"
    SCORE = "score-broken"
    COUNTS = "counts-differ"

    @property
    def words(self) -> str:
        """The fault in a sentence."""
        return _WORDS[self]


_WORDS = {
    ResultFault.INCOMPLETE: "there is no manifest: the run did not end, or its record was removed",
    ResultFault.MISSING: "the manifest names it, and it is not there",
    ResultFault.BROKEN: "its explanation.json is none that can be read",
    ResultFault.CHANGED: "its explanation.json is not what its receipt says",
    ResultFault.FILE_MISSING: "a file that its receipt names is not there",
    ResultFault.OTHER_MODEL: "it is by another model than the manifest says",
    ResultFault.LEDGER: "map and bias do not add up to the score",
    ResultFault.SCORE: "probability, threshold and answer do not follow from the score",
    ResultFault.COUNTS: "the manifest counts another number of results than it lists",
}


@dataclass(frozen=True, slots=True)
class FaultyResult:
    """A fault.

    Args:
        result: <study>/<instance>; empty for the folder as a whole.
        fault: What is wrong.
        detail: Which finding, file or number.
    """

    result: str
    fault: ResultFault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ResultsVerification:
    """What a verification found.

    Args:
        results: How many results are there.
        faults: What is wrong, in the order of the results.
        undigested: How many have no digest on record: an older medcam wrote them.
        unlisted: How many are there that the latest run did not make or take over.
    """

    results: int
    faults: tuple[FaultyResult, ...]
    undigested: int
    unlisted: int

    @property
    def intact(self) -> bool:
        """Whether no fault was found."""
        return not self.faults


def verify_results(folder: ResultsFolder) -> ResultsVerification:
    """Goes through a results folder.

    A results folder is not signed: who can write it can make it whole again after a change. `replay` computes its
    results again; a store has a signed trail.

    Args:
        folder: What `medcam annotate` wrote.
    """
    there = folder.ids
    faults = list(_of_run(folder, frozenset(there)))
    undigested = 0
    for result in there:
        undigested += not folder.digest_on_record(result)
        faults += _of_result(folder, result)
    unlisted = len(set(there) - set(folder.names)) if folder.manifest is not None else 0
    return ResultsVerification(len(there), tuple(faults), undigested, unlisted)


def _of_run(folder: ResultsFolder, there: frozenset[str]) -> Iterator[FaultyResult]:
    if folder.manifest is None:
        yield FaultyResult("", ResultFault.INCOMPLETE)
        return
    counted = (folder.manifest.get("counts") or {}).get("annotated")
    if counted != len(folder.names):
        yield FaultyResult("", ResultFault.COUNTS, f"{counted} counted, {len(folder.names)} listed")
    for result in folder.names:
        if result not in there:
            yield FaultyResult(result, ResultFault.MISSING)


def _of_result(folder: ResultsFolder, result: str) -> Iterator[FaultyResult]:
    path = folder.path / result
    digest = folder.digest_on_record(result)
    if digest and hashlib.sha256(folder.content(result)).hexdigest() != digest:
        yield FaultyResult(result, ResultFault.CHANGED)
    receipt = read_receipt(path / RECEIPT_NAME)
    for name in receipt.files if receipt else ():
        if not (path / name).is_file():
            yield FaultyResult(result, ResultFault.FILE_MISSING, name)
    try:
        explanation = read_explanation(path / FILE_NAME)
    except MedcamError as error:
        yield FaultyResult(result, ResultFault.BROKEN, error.code)
        return
    yield from _of_content(result, explanation, (folder.manifest or {}).get("model"), listed=result in folder.names)


def _of_content(result: str, explanation: Explanation, model: Any, *, listed: bool) -> Iterator[FaultyResult]:  # noqa: ANN401  JSON
    digest = explanation.model.weights_sha256
    if listed and isinstance(model, dict) and model.get("weights_sha256") != digest:
        yield FaultyResult(result, ResultFault.OTHER_MODEL, digest[:16])
    for finding in explanation.findings:
        if (gap := _ledger_gap(finding)) > LOGIT_TOLERANCE:
            yield FaultyResult(result, ResultFault.LEDGER, f"{finding.name}: {gap:.2g} off")
        if not _follows(finding):
            yield FaultyResult(result, ResultFault.SCORE, finding.name)


def _ledger_gap(finding: Finding) -> float:
    """How far map and bias are from the score; 0 for a head whose map does not add up to it."""
    if not finding.map.ledger:
        return 0.0
    return abs(finding.map.ledger_total + finding.map.bias - finding.logit) / max(1.0, abs(finding.logit))


def _follows(finding: Finding) -> bool:
    probability = 1.0 / (1.0 + math.exp(-min(max(finding.logit, -500.0), 500.0)))
    called = finding.present in (None, finding.probability >= finding.threshold)
    return called and abs(probability - finding.probability) <= PROBABILITY_TOLERANCE
