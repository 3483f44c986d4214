"""explanation.json read: the `Explanation` that its data stand for."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from medcam.core.activation import ActivationMap
from medcam.core.codes import CodedConcept
from medcam.core.errors import InputError, MedcamError
from medcam.core.explanation import (
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

Json = dict[str, Any]

UIDS = ("sop_instance_uid", "sop_class_uid", "series_instance_uid", "study_instance_uid")
TRANSFORM = ("source_height", "source_width", "scale_x", "scale_y", "offset_x", "offset_y")


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
        identity = Identity(**_picked(source, *UIDS))
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


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


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
    transform = GridTransform(height=height, width=width, **_picked(data["transform"], *TRANSFORM))
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
