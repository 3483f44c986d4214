"""Replay of a decision: the film's own file and the model again, and what comes out beside what was kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from medcam.core.errors import InputError, MedcamError, ModelError
from medcam.core.protocols import Classifier
from medcam.models.registry import load_model
from medcam.service.annotate.readers import Readers
from medcam.service.audit.replay_engine import ReplayEngine, replay_engine
from medcam.service.explain import explain_batch
from medcam.service.explanations.explanation_json import explanation_to_dict
from medcam.service.explanations.software import ANATOMY
from medcam.service.studies.opened import OpenedStore
from medcam.store import AuditDraft, KeptExplanation, KeptRadiograph

_NOT_COMPARED = frozenset(("created", "software", "notice", "schema_version", "max_logit_error", "features"))
"""Features are no part of the decision: maps and logits, which follow from them, are compared."""
_ADDED = frozenset(("relation",))
"""Fields that records of an older schema lack."""
_FINDING = re.compile(r"findings\[(\d+)\]")
_PIXELS = frozenset(("x", "y", "width", "height", "contour"))


class Verdict(StrEnum):
    """What a replay says."""

    EQUAL = "equal"
    DIFFERENT = "different"
    IMPOSSIBLE = "impossible"


EDITED, DIFFERS, ANATOMY_DIFFERS = "result-edited", "result-differs", "other-anatomy"
"""Codes of a different result: the record is not the one that was kept, something else comes out, or the zones alone
are others and were found by another version of the registration."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A replayed decision.

    Args:
        explanation: Its id.
        verdict: Whether the same came out.
        differences: Where it differs, such as "findings[0].logit: 1.25 was kept, 1.31 comes out".
        largest: Largest difference of two numbers, differences within the tolerance included.
        code: Why it is different or impossible; empty where it is equal.
        reason: Why it is impossible, in words.
        engine: What it was computed on: the engine on record, or torch in fp32 within that one's error budget.
        tolerance: Largest difference of two logits that counts as none.
        versions: Software that is not as it is on record, such as "torch: 2.12.0 was used, 2.13.0 is here".
    """

    explanation: str
    verdict: Verdict
    differences: tuple[str, ...] = ()
    largest: float = 0.0
    code: str = ""
    reason: str = ""
    engine: str = ""
    tolerance: float = 0.0
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A decision that is on record, wherever the record lies.

    Args:
        id: Names it.
        content: `explanation.json` as it is on record.
        edited: Whether that is known not to be what was written.
        model: Name of the model.
        version: Its version.
        weights_sha256: Digest of its weights.
        method: Attribution method.
        answered: Whether findings were called on a strange film too.
        name: Of the film's file, for whoever reads it.
        source: Reads the film's file; raises an `InputError` where it is gone (`source-gone`) or another one
            (`source-changed`).
    """

    id: str
    content: bytes = field(repr=False)
    edited: bool
    model: str
    version: str
    weights_sha256: str
    method: str
    answered: bool
    name: str
    source: Callable[[], bytes] = field(repr=False)


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
    result = replay_decision(_of_store(opened, explanation_id, kept, film), readers, load)
    body = {
        "explanation": explanation_id,
        "verdict": str(result.verdict),
        "differences": len(result.differences),
        "code": result.code,
        "engine": result.engine,
    }
    opened.trail.append(AuditDraft("explanation-replayed", by, film.study_id, body))
    return result


def replay_decision(past: PastDecision, readers: Readers, load: Callable[[str], Classifier] = load_model) -> Replay:
    """Recomputes a decision; what is in its way becomes part of the answer.

    Args:
        past: The decision.
        readers: Who parses the film's file.
        load: Gives the model of a name.
    """
    try:
        before = json.loads(past.content)
        engine = replay_engine(_model(past, load), before.get("engine") or {})
        return _compare(past, before, _again(past, readers, engine.classifier), engine)
    except MedcamError as error:
        return Replay(past.id, Verdict.IMPOSSIBLE, code=error.code, reason=error.message)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"the record cannot be read ({type(error).__name__})"
        return Replay(past.id, Verdict.IMPOSSIBLE, code="not-an-explanation", reason=reason)


def source_of(data: bytes, sha256: str) -> bytes:
    """The bytes of a film's file.

    Raises:
        InputError: They are not those that were annotated (code `source-changed`).
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(
            "the film's DICOM file is not the one that was annotated",
            code="source-changed",
            next_step="Put the file back that was annotated; its digest is on record.",
        )
    return data


def source_gone(reason: str) -> InputError:
    """The error of a film whose file is not there."""
    return InputError(
        f"the film's DICOM file cannot be read ({reason})",
        code="source-gone",
        next_step="Put the file back where it was when it was annotated, or name its folder with --source.",
    )


def _of_store(opened: OpenedStore, explanation_id: str, kept: KeptExplanation, film: KeptRadiograph) -> PastDecision:
    def source() -> bytes:
        try:
            data = opened.files.source_path(film.sha256, film.source).read_bytes()
        except OSError as error:
            raise source_gone(error.strerror or "missing") from error
        return source_of(data, film.sha256)

    return PastDecision(
        id=explanation_id,
        content=kept.content,
        edited=kept.id != explanation_id,
        model=kept.model,
        version=kept.version,
        weights_sha256=kept.weights_sha256,
        method=kept.method,
        answered=any(finding.present is not None for finding in kept.findings),
        name=f"{film.id}.dcm",
        source=source,
    )


def _again(past: PastDecision, readers: Readers, classifier: Classifier) -> dict[str, Any]:
    """The explanation as it comes out now."""
    radiograph = readers.radiograph(past.source(), past.name)
    [explanation] = explain_batch([radiograph], classifier, method=past.method, allow_out_of_distribution=past.answered)
    return explanation_to_dict(explanation)


def _model(past: PastDecision, load: Callable[[str], Classifier]) -> Classifier:
    classifier = load(past.model)
    if classifier.card.weights_sha256 != past.weights_sha256:
        raise ModelError(
            f"{classifier.card.name} {classifier.card.version} has other weights than {past.model} {past.version} had",
            code="other-weights",
            next_step="Give the model that was used with --model FOLDER.",
        )
    return classifier


def _compare(past: PastDecision, kept: dict[str, Any], again: dict[str, Any], engine: ReplayEngine) -> Replay:
    peaks = [max((abs(value) for value in finding["map"]["values"]), default=0.0) for finding in again["findings"]]
    side = float(max(kept["source"]["rows"], kept["source"]["columns"], 1))
    differences = ["content: the text is not the one that was kept; its digest differs"] if past.edited else []
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
    return Replay(
        past.id,
        Verdict.DIFFERENT if differences else Verdict.EQUAL,
        tuple(differences),
        largest,
        code=_code(past, differences, kept.get("software") or {}, again["software"]),
        engine=engine.words,
        tolerance=engine.allowance("logit", 0.0),
        versions=tuple(_versions(kept.get("software") or {}, again["software"])),
    )


def _code(past: PastDecision, differences: list[str], before: Mapping[str, str], now: Mapping[str, str]) -> str:
    if past.edited or not differences:
        return EDITED if past.edited else ""
    zones = all(".evidence.zones" in place.partition(":")[0] for place in differences)
    return ANATOMY_DIFFERS if zones and before.get(ANATOMY) != now.get(ANATOMY) else DIFFERS


def _versions(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield f"{name}: {before.get(name, 'none')} was used, {now.get(name, 'none')} is here"


def _leaves(path: str, before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401  JSON values
    """Values of two documents side by side; where their shapes differ, the parts that do."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted({*before, *now} - _NOT_COMPARED - (_ADDED - before.keys())):
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
