"""Replay of a decision: the film's own file and the model again, and what comes out beside what was kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from medcam.core.errors import InputError, MedcamError, ModelError
from medcam.core.protocols import Classifier
from medcam.models.registry import load_model
from medcam.service.annotate.stages import Readers
from medcam.service.audit.replay_engine import ReplayEngine, replay_engine
from medcam.service.explain import explain_batch
from medcam.service.explanations.explanation_json import explanation_to_dict
from medcam.service.studies.opened import OpenedStore
from medcam.store import AuditDraft, KeptExplanation, KeptRadiograph

_NOT_COMPARED = frozenset(("created", "software", "notice", "schema_version", "max_logit_error"))
_FINDING = re.compile(r"findings\[(\d+)\]")
_PIXELS = frozenset(("x", "y", "width", "height", "contour"))


class Verdict(StrEnum):
    """What a replay says."""

    EQUAL = "equal"
    DIFFERENT = "different"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Replay:
    """A replayed decision.

    Args:
        explanation: Its id.
        verdict: Whether the same came out.
        differences: Where it differs, such as "findings[0].logit: 1.25 was kept, 1.31 comes out".
        largest: Largest difference of two numbers, differences within the tolerance included.
        code: Why it is impossible, as an error's code; empty where it is possible.
        reason: The same in words.
        engine: What it was computed on: the engine on record, or torch in fp32 within that one's error budget.
    """

    explanation: str
    verdict: Verdict
    differences: tuple[str, ...] = ()
    largest: float = 0.0
    code: str = ""
    reason: str = ""
    engine: str = ""


def replay(
    opened: OpenedStore,
    explanation_id: str,
    readers: Readers,
    load: Callable[[str], Classifier] = load_model,
    by: str = "medcam",
) -> Replay:
    """Recomputes a kept explanation from the film's DICOM file and the model, and notes in the trail what came out.

    Args:
        opened: The store.
        explanation_id: Which explanation.
        readers: Who parses the file.
        load: Gives the model of a name.
        by: Who asked for it.

    Raises:
        InputError: The store has no such explanation (code `no-such-explanation`).
        StoreError: The database cannot be used.
    """
    found = opened.films.explanation(explanation_id)
    if found is None:
        raise InputError(
            f"the store has no explanation {explanation_id}",
            code="no-such-explanation",
            next_step="`medcam audit log --kind explanation-kept` lists them.",
        )
    kept, film = found
    try:
        before = json.loads(kept.content)
        engine = replay_engine(_model(kept, load), before.get("engine") or {})
        again = _again(opened, kept, film, readers, engine.classifier)
        result = _compare(explanation_id, before, again, engine, edited=kept.id != explanation_id)
    except MedcamError as error:
        result = Replay(explanation_id, Verdict.IMPOSSIBLE, code=error.code, reason=error.message)
    body = {
        "explanation": explanation_id,
        "verdict": str(result.verdict),
        "differences": len(result.differences),
        "code": result.code,
        "engine": result.engine,
    }
    opened.trail.append(AuditDraft("explanation-replayed", by, film.study_id, body))
    return result


def _again(
    opened: OpenedStore,
    kept: KeptExplanation,
    film: KeptRadiograph,
    readers: Readers,
    classifier: Classifier,
) -> dict[str, Any]:
    """The explanation as it comes out now."""
    data = _source(opened, film)
    radiograph = readers.radiograph(data, f"{film.id}.dcm")
    answered = any(finding.present is not None for finding in kept.findings)
    [explanation] = explain_batch([radiograph], classifier, method=kept.method, allow_out_of_distribution=answered)
    return explanation_to_dict(explanation)


def _model(kept: KeptExplanation, load: Callable[[str], Classifier]) -> Classifier:
    classifier = load(kept.model)
    if classifier.card.weights_sha256 != kept.weights_sha256:
        raise ModelError(
            f"the model {kept.model} has other weights now (version {classifier.card.version}, kept: {kept.version})",
            code="other-weights",
            next_step="Give the model that was used with --model FOLDER.",
        )
    return classifier


def _source(opened: OpenedStore, film: KeptRadiograph) -> bytes:
    path = opened.files.source_path(film.sha256, film.source)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the film's DICOM file cannot be read ({error.strerror or 'missing'})",
            code="source-gone",
            next_step="Put the file back where it was when it was annotated.",
        ) from error
    if hashlib.sha256(data).hexdigest() != film.sha256:
        raise InputError(
            "the film's DICOM file is not the one that was annotated",
            code="source-changed",
            next_step="Put the file back that was annotated; its digest is in the trail.",
        )
    return data


def _compare(
    explanation_id: str, kept: dict[str, Any], again: dict[str, Any], engine: ReplayEngine, *, edited: bool
) -> Replay:
    peaks = [max((abs(value) for value in finding["map"]["values"]), default=0.0) for finding in again["findings"]]
    side = float(max(kept["source"]["rows"], kept["source"]["columns"], 1))
    differences = ["content: the text in the store is not the one that was kept; its digest differs"] if edited else []
    largest = 0.0
    for path, before, now in _leaves("", kept, again):
        if not engine.compared(path):
            continue
        gap = _gap(before, now)
        if gap is None:
            differences.append(f"{path}: {_told(before)} was kept, {_told(now)} comes out")
            continue
        scaled = gap / side if _is_pixel(path) else gap
        largest = max(largest, scaled)
        if scaled > engine.allowance(path, peaks[int(found[1])] if (found := _FINDING.match(path)) else 0.0):
            differences.append(f"{path}: {_told(before)} was kept, {_told(now)} comes out")
    verdict = Verdict.DIFFERENT if differences else Verdict.EQUAL
    return Replay(explanation_id, verdict, tuple(differences), largest, engine=engine.words)


def _leaves(path: str, before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401  JSON values
    """Values of two documents side by side; where their shapes differ, the parts that do."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted({*before, *now} - _NOT_COMPARED):
            yield from _leaves(f"{path}.{name}".lstrip("."), before.get(name), now.get(name))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _leaves(f"{path}[{number}]", one, other)
    else:
        yield path, before, now


def _gap(before: Any, now: Any) -> float | None:  # noqa: ANN401  JSON values
    """Distance of two numbers, 0 for equal values of other kinds, None for unequal ones."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (before, now))
    if numbers:
        return abs(float(before) - float(now))
    return 0.0 if before == now else None


def _is_pixel(path: str) -> bool:
    names = path.replace("[", ".").split(".")
    return "regions" in names and bool(_PIXELS & set(names))


def _told(value: Any) -> str:  # noqa: ANN401  JSON values
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
