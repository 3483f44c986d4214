"""explanation.json: an `Explanation` as plain data, and back. `explanation_schema` publishes its form."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from medcam.core.activation import ActivationMap
from medcam.core.arrays import FloatArray
from medcam.core.codes import CodedConcept
from medcam.core.errors import InputError, InvalidValueError, MedcamError
from medcam.core.explanation import (
    RESEARCH_USE,
    SCHEMA_VERSION,
    Engine,
    Explanation,
    ModelReference,
    OutOfDistribution,
    Source,
)
from medcam.core.finding import Evidence, Finding, Point, Region, ZonesSource
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import Identity
from medcam.core.relation import Relation
from medcam.service.atomic import write_text
from medcam.service.explanations.decimals import shortest_decimals
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
Json = dict[str, Any]

_UIDS = ("sop_instance_uid", "sop_class_uid", "series_instance_uid", "study_instance_uid")
_TRANSFORM = ("source_height", "source_width", "scale_x", "scale_y", "offset_x", "offset_y")
_PIXEL_DECIMALS = 3
_CONTOUR_DECIMALS = 2


def explanation_to_dict(explanation: Explanation) -> Json:
    """Plain data for `json.dumps`.

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
    source, model, engine = explanation.source, explanation.model, explanation.engine
    ood = explanation.out_of_distribution
    return {
        "schema_version": SCHEMA_VERSION,
        "notice": RESEARCH_USE,
        "source": {
            **{name: getattr(source.identity, name) for name in _UIDS},
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
        "features": _features(explanation.features),
    }


def explanation_from_dict(data: Json) -> Explanation:
    """Rebuilds an explanation.

    Args:
        data: As `explanation_to_dict` makes it; fields that it does not know are passed over.

    Raises:
        InputError: The data are no explanation (code "not-an-explanation"), or of a schema whose first number is
            another (code "schema-version").
    """
    try:
        _check_version(str(data["schema_version"]))
        source, created, features = data["source"], data["created"], data.get("features")
        identity = Identity(**_picked(source, *_UIDS))
        return Explanation(
            source=Source(identity, **_picked(source, "rows", "columns", "sha256", "view")),
            model=ModelReference(**_picked(data["model"], "name", "version", "weights_sha256")),
            engine=Engine(**_picked(data["engine"], "name", "precision", "max_logit_error")),
            method=data["method"],
            findings=tuple(_to_finding(item, data["method"]) for item in data["findings"]),
            out_of_distribution=OutOfDistribution(
                **_picked(data["out_of_distribution"], "score", "threshold", "flagged")
            ),
            warnings=tuple(data["warnings"]),
            software=dict(data["software"]),
            created=datetime.fromisoformat(created) if created else None,
            features=None if features is None else np.array(features, dtype=np.float32),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = error.message if isinstance(error, MedcamError) else f"{type(error).__name__}: {error}"
        raise InputError(
            f"this is no explanation ({what})",
            code="not-an-explanation",
            next_step="Compare it with docs/reference/explanation.schema.json.",
        ) from error


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
    return json.dumps(explanation_to_dict(explanation), allow_nan=False) + "\n"


def read_explanation(path: Path) -> Explanation:
    """Reads what `write_explanation` wrote.

    Raises:
        InputError: The file cannot be read ("unreadable"), or see `explanation_from_dict`.
    """
    try:
        data = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except OSError as error:
        raise InputError(f"the explanation cannot be read ({type(error).__name__})") from error
    except (ValueError, RecursionError) as error:
        raise InputError("this is no explanation (no JSON)", code="not-an-explanation") from error
    return explanation_from_dict(data)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _finding(finding: Finding, method: str) -> Json:
    code, activation, transform = finding.code, finding.map, finding.map.transform
    if activation.method != method:
        raise InvalidValueError(f"a map by {activation.method!r} in an explanation by {method!r}")
    if not np.isfinite(activation.values).all():
        raise InvalidValueError(f"the map of {finding.name!r} holds values that are not finite")
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
            "values": shortest_decimals(activation.values),
            "layer": activation.layer,
            "ledger": activation.ledger,
            "relation": str(activation.relation),
            "transform": {name: getattr(transform, name) for name in _TRANSFORM},
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


def _features(values: FloatArray | None) -> list[float] | None:
    if values is not None and not np.isfinite(values).all():
        raise InvalidValueError("an explanation holds features that are not finite")
    return None if values is None else shortest_decimals(values)


def _optional(value: float | None) -> float | None:
    return None if value is None else _figure(value)


def _pixel(value: float, decimals: int = _PIXEL_DECIMALS) -> float:
    return round(float(value), decimals) + 0.0  # no negative zero


def _check_version(version: str) -> None:
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise InputError(
            f"the explanation has schema version {version!r}, and this medcam reads {SCHEMA_VERSION}",
            code="schema-version",
            next_step="Read it with the medcam that its field `software` names.",
        )


def _picked(data: Json, *names: str) -> Json:
    return {name: data[name] for name in names}


def _to_finding(data: Json, method: str) -> Finding:
    bias, evidence = float(data["bias"]), data["evidence"]
    return Finding(
        name=data["name"],
        code=CodedConcept(**_picked(data["code"], "value", "scheme", "meaning")) if data["code"] else None,
        probability=float(data["probability"]),
        logit=float(data["logit"]),
        threshold=float(data["threshold"]),
        present=data["present"],
        map=_to_map(data["map"], bias, method),
        evidence=_to_evidence(evidence, bias) if evidence else None,
        regions=tuple(_to_region(item) for item in data["regions"]),
    )


def _to_map(data: Json, bias: float, method: str) -> ActivationMap:
    height, width = int(data["height"]), int(data["width"])
    transform = GridTransform(height=height, width=width, **_picked(data["transform"], *_TRANSFORM))
    values = np.array(data["values"], dtype=np.float32).reshape(height, width)
    return ActivationMap(values, bias, transform, method, data["layer"], data["ledger"], _relation(data))


def _relation(data: Json) -> Relation | None:
    """How the logit follows from the map; schema 1.0 tells only whether it is its mean."""
    return Relation(data["relation"]) if "relation" in data else None


def _to_evidence(data: Json, bias: float) -> Evidence:
    return Evidence(
        bias=bias,
        total_positive=float(data["total_positive"]),
        total_negative=float(data["total_negative"]),
        zones=None if data["zones"] is None else dict(data["zones"]),
        zones_source=ZonesSource(data["zones_source"]),
        zones_quality=data["zones_quality"],
    )


def _to_region(data: Json) -> Region:
    return Region(
        box=Box(data["x"], data["y"], data["width"], data["height"]),
        peak=Point(data["peak"]["x"], data["peak"]["y"]),
        share=data["share"],
        contour=tuple(Point(x, y) for x, y in data["contour"]),
        rule=data["rule"],
    )
