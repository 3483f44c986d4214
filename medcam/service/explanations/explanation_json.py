"""explanation.json: an `Explanation` as plain data, and back. `explanation_schema` publishes its form."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import orjson

from medcam.core.arrays import FloatArray
from medcam.core.errors import InvalidValueError
from medcam.core.explanation import (
    RESEARCH_USE,
    SCHEMA_VERSION,
    Explanation,
)
from medcam.core.finding import Evidence, Finding, Region
from medcam.service.atomic import write_text
from medcam.service.explanations.explanation_reading import (
    TRANSFORM,
    UIDS,
    Json,
    explanation_from_dict,
    read_explanation,
)
from medcam.service.explanations.explanation_schema import SCHEMA_PATH, schema

__all__ = [
    "FILE_NAME",
    "SCHEMA_PATH",
    "explanation_from_dict",
    "explanation_text",
    "explanation_to_dict",
    "read_explanation",
    "schema",
    "write_explanation",
]

FILE_NAME = "explanation.json"

_PIXEL_DECIMALS = 3
_CONTOUR_DECIMALS = 2
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


def explanation_to_dict(explanation: Explanation) -> Json:
    """What explanation.json holds, as plain data.

    Map values and features are the shortest decimals that give the same float32 again, other figures have nine
    significant digits, positions three decimals of a pixel and contours two. So mean(values) + bias is the logit within
    1e-4, and what `explanation_from_dict` makes of it gives the same data again.

    Args:
        explanation: What was found.

    Returns:
        Dictionaries, lists, texts, finite numbers and None.

    Raises:
        InvalidValueError: A number is not finite, or the maps are by another method than the explanation says.
    """
    return dict(json.loads(explanation_text(explanation)))


def _data(explanation: Explanation) -> Json:
    source, model, engine = explanation.source, explanation.model, explanation.engine
    ood, features = explanation.out_of_distribution, explanation.features
    return {
        "schema_version": SCHEMA_VERSION,
        "notice": RESEARCH_USE,
        "source": {
            **{name: getattr(source.identity, name) for name in UIDS},
            "rows": source.rows,
            "columns": source.columns,
            "view": source.view,
            "sha256": source.sha256,
        },
        "model": {"name": model.name, "version": model.version, "weights_sha256": model.weights_sha256},
        "engine": {
            "name": engine.name,
            "precision": engine.precision,
            "max_logit_error": _figure(engine.max_logit_error),
        },
        "method": explanation.method,
        "findings": [_finding(finding, explanation.method) for finding in explanation.findings],
        "out_of_distribution": {
            "score": _optional(ood.score),
            "threshold": _optional(ood.threshold),
            "flagged": ood.flagged,
        },
        "warnings": list(explanation.warnings),
        "software": dict(explanation.software),
        "created": explanation.created.isoformat() if explanation.created else None,
        "features": None if features is None else _numbers(features, "the features"),
    }


def write_explanation(path: Path, explanation: Explanation) -> Path:
    """Writes explanation.json so that the file is complete or absent, even when the process is killed.

    Raises:
        InvalidValueError: As `explanation_to_dict`.
        OSError: The file cannot be written.
    """
    write_text(path, explanation_text(explanation))
    return path


def explanation_text(explanation: Explanation) -> str:
    """The text of explanation.json.

    Raises:
        InvalidValueError: As `explanation_to_dict`.
    """
    data = _data(explanation)
    try:
        return orjson.dumps(data, option=_OPTIONS).decode("utf-8")
    except orjson.JSONEncodeError:  # broken characters, such as in a UID, which are no UTF-8 and have to be escaped
        return json.dumps(data, default=_plain) + "\n"


def _plain(values: FloatArray) -> list[float]:
    return list(orjson.loads(orjson.dumps(values, option=_OPTIONS)))


def _finding(finding: Finding, method: str) -> Json:
    code, activation, transform = finding.code, finding.map, finding.map.transform
    if activation.method != method:
        raise InvalidValueError(f"a map by {activation.method!r} in an explanation by {method!r}")
    return {
        "name": finding.name,
        "code": {"value": code.value, "scheme": code.scheme, "meaning": code.meaning} if code else None,
        "probability": _figure(finding.probability),
        "logit": _figure(finding.logit),
        "bias": _figure(activation.bias),
        "threshold": _figure(finding.threshold),
        "present": finding.present,
        "map": {
            "height": activation.height,
            "width": activation.width,
            "values": _numbers(activation.values, f"the map of {finding.name!r}"),
            "layer": activation.layer,
            "ledger": activation.ledger,
            "relation": str(activation.relation),
            "transform": {name: getattr(transform, name) for name in TRANSFORM},
        },
        "evidence": _evidence(finding.evidence) if finding.evidence else None,
        "regions": [_region(region) for region in finding.regions],
    }


def _evidence(evidence: Evidence) -> Json:
    zones = evidence.zones
    return {
        "total_positive": _figure(evidence.total_positive),
        "total_negative": _figure(evidence.total_negative),
        "zones": None if zones is None else {name: _figure(value) for name, value in zones.items()},
        "zones_source": evidence.zones_source.value,
        "zones_quality": _optional(evidence.zones_quality),
    }


def _region(region: Region) -> Json:
    box = region.box
    return {
        "x": _pixel(box.x),
        "y": _pixel(box.y),
        "width": max(_pixel(box.width), 10.0**-_PIXEL_DECIMALS),
        "height": max(_pixel(box.height), 10.0**-_PIXEL_DECIMALS),
        "peak": {"x": _pixel(region.peak.x), "y": _pixel(region.peak.y)},
        "share": _figure(min(region.share, 1.0)),
        "rule": region.rule,
        "contour": [[_pixel(p.x, _CONTOUR_DECIMALS), _pixel(p.y, _CONTOUR_DECIMALS)] for p in region.contour],
    }


def _figure(value: float) -> float:
    """Nine significant digits: all that a float32 has."""
    if not math.isfinite(value):
        raise InvalidValueError("an explanation holds a number that is not finite")
    return float(f"{value:.9g}")


def _numbers(values: FloatArray, what: str) -> FloatArray:
    """Row-major, as orjson writes them: the shortest decimals that give the same float32 again."""
    if not np.isfinite(values).all():
        raise InvalidValueError(f"{what} of an explanation holds a number that is not finite")
    return np.ascontiguousarray(values, dtype=np.float32).ravel()


def _optional(value: float | None) -> float | None:
    return None if value is None else _figure(value)


def _pixel(value: float, decimals: int = _PIXEL_DECIMALS) -> float:
    if not math.isfinite(value):  # which orjson would write as null
        raise InvalidValueError("an explanation holds a place that is not finite")
    return round(float(value), decimals) + 0.0  # no negative zero
