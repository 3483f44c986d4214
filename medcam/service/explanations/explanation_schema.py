"""The published form of explanation.json, as JSON Schema (draft 2020-12).

    python -m medcam.service.explanations.explanation_schema

writes `docs/reference/explanation.schema.json` again; a test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from medcam.core.explanation import RESEARCH_USE, SCHEMA_VERSION
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import View
from medcam.core.relation import Relation
from medcam.core.zones import ZONES

SCHEMA_PATH = Path(__file__).resolve().parents[3] / "docs" / "reference" / "explanation.schema.json"
"""Where the published copy lies in a checkout; an installed package has `schema` alone."""

Schema = dict[str, Any]

_MAJOR = SCHEMA_VERSION.split(".")[0]


def schema() -> Schema:
    """The schema. Later versions with the same first number may add fields, so that unknown ones are allowed."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:medcam:explanation:{_MAJOR}",
        "title": "medcam explanation",
        "description": (
            "What one model says about one radiograph, and the evidence behind it. For every finding of a model with a "
            "ledger, the mean of map.values (their sum where map.relation is sum) plus bias is the logit (within "
            "1e-4), and so is bias + "
            f"evidence.total_positive + evidence.total_negative. A map highlights; it never proves. {RESEARCH_USE}"
        ),
        **_object(
            schema_version=_text("First number: breaking changes. Second: additions.", pattern=rf"^{_MAJOR}\.[0-9]+$"),
            notice={"const": RESEARCH_USE},
            source=_source(),
            model=_model(),
            engine=_engine(),
            method=_text('Name of the attribution method; "cam" is the exact class activation map of a GAP head.'),
            findings=_list({"$ref": "#/$defs/finding"}, "One per finding of the model, in its order.", minItems=1),
            out_of_distribution=_out_of_distribution(),
            warnings=_list({"type": "string"}, "What a reader of the result must know, in words."),
            software={
                "description": "Versions by name of package.",
                "type": "object",
                "additionalProperties": {"type": "string"},
                "required": ["medcam"],
            },
            created=_text("When, ISO 8601 with offset.", nullable=True, format="date-time"),
        ),
        "$defs": {
            "finding": _finding(),
            "map": _map(),
            "evidence": _evidence(),
            "region": _region(),
            "point": _point(),
        },
    }
    # Since 1.2, so not required.
    made["properties"]["features"] = _or_null(
        _list({"type": "number"}, "Pooled features of the network that the out-of-distribution score judges (float32).")
    )
    return made


def write_schema(path: Path = SCHEMA_PATH) -> None:
    """Writes the published copy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")


def _source() -> Schema:
    return _object(
        "The radiograph.",
        sop_instance_uid=_text("As found in the file, valid or not; empty for an array."),
        sop_class_uid=_text("Likewise."),
        series_instance_uid=_text("Likewise."),
        study_instance_uid=_text("Likewise."),
        rows=_count("Height in pixels."),
        columns=_count("Width in pixels."),
        view={"description": "View Position.", "enum": [view.value for view in View]},
        sha256=_digest("SHA-256 of the file's bytes, of the pixel data element, or of the array; may be empty."),
    )


def _model() -> Schema:
    return _object(
        "The model that spoke.",
        name=_text("Name in the registry."),
        version=_text("Version of the weights."),
        weights_sha256=_digest("SHA-256 of the weights file; empty for weights that were never saved."),
    )


def _engine() -> Schema:
    return _object(
        "What computed the maps.",
        name=_text('Such as "torch".'),
        precision=_text('Such as "fp32".'),
        max_logit_error=_number("Largest difference to fp32 logits seen on a calibration batch.", minimum=0),
    )


def _out_of_distribution() -> Schema:
    return _object(
        "How strange the film is to the model.",
        score=_number("Higher is stranger; null without a gate or where it has no bounds.", nullable=True),
        threshold=_number("Scores above it are flagged; null without a gate.", nullable=True),
        flagged={"description": "Whether the film is unlike the training films.", "type": "boolean"},
    )


def _finding() -> Schema:
    code = _object(value=_text("Code Value."), scheme=_text("SCT for SNOMED CT."), meaning=_text("Code Meaning."))
    return _object(
        name=_text("As on the model card."),
        code=_or_null({"description": "Coded concept."} | code),
        probability=_number("Logistic function of the logit.", minimum=0, maximum=1),
        logit=_number("Score before the logistic function."),
        bias=_number("The finding's bias, in logit units."),
        threshold=_number("Operating threshold on the probability.", exclusiveMinimum=0, exclusiveMaximum=1),
        present={
            "description": "probability >= threshold; null where withheld, since the film is out of distribution.",
            "type": ["boolean", "null"],
        },
        map={"$ref": "#/$defs/map"},
        evidence=_or_null({"$ref": "#/$defs/evidence"}),
        regions=_list({"$ref": "#/$defs/region"}, "By the model's own rule first, then by the paper's."),
    )


def _map() -> Schema:
    scales = {name: _number("grid = scale * source + offset; negative for a flip.") for name in ("scale_x", "scale_y")}
    offsets = {name: _number("In grid cells.") for name in ("offset_x", "offset_y")}
    sizes = {"source_height": _count("Rows of the film."), "source_width": _count("Columns of the film.")}
    made = _object(
        "The raw map: signed, low resolution, never normalised.",
        height=_count("Rows of the grid."),
        width=_count("Columns of the grid."),
        values=_list({"type": "number"}, "height * width values, row by row, in logit units per cell (float32)."),
        layer=_text("Layer of the network whose output was weighted."),
        ledger={"description": "Whether the values add up to the logit.", "type": "boolean"},
        transform=_object("From source pixels to the grid; cell i covers i to i + 1.", **sizes, **scales, **offsets),
    )
    # Since 1.1, so not required; without it a ledger is a mean.
    made["properties"]["relation"] = {
        "description": "How the logit follows from values and bias; only the first two are ledgers.",
        "enum": [relation.value for relation in Relation],
    }
    return made


def _evidence() -> Schema:
    zones = _object("Logit units per zone, summing to both totals.", **{name: _number("Signed.") for name in ZONES})
    return _object(
        "The ledger of the logit; null for a head without. The split is over the grid: a cell sees beyond itself.",
        total_positive=_number(
            "What positive values add: their sum over the number of cells; their sum where map.relation is sum.",
            minimum=0,
        ),
        total_negative=_number("The same of negative values.", maximum=0),
        zones=_or_null(zones),
        zones_source={"description": "How the zones were found.", "enum": [source.value for source in ZonesSource]},
        zones_quality=_number("0 useless, 1 exact; poor zones are null above.", nullable=True, minimum=0, maximum=1),
    )


def _region() -> Schema:
    return _object(
        "A part of the film that the map highlights, in source pixels from the top left corner.",
        x=_number("Left edge."),
        y=_number("Upper edge."),
        width=_number("Width.", exclusiveMinimum=0),
        height=_number("Height.", exclusiveMinimum=0),
        peak={"$ref": "#/$defs/point"},
        share=_number("Share of the positive evidence inside; not a share of the probability.", minimum=0, maximum=1),
        rule=_text('Name of the region rule: "paper" (20 % of the maximum, largest part) or "calibrated".'),
        contour=_list(
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            "Closed polygon of [x, y]; the first point is not repeated.",
        ),
    )


def _point() -> Schema:
    return _object("Where the map is highest inside.", x=_number("To the right."), y=_number("Down."))


def _object(description: str = "", **properties: Schema) -> Schema:
    made: Schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"description": description, **made} if description else made


def _list(items: Schema, description: str, **limits: int) -> Schema:
    return {"description": description, "type": "array", "items": items, **limits}


def _or_null(form: Schema) -> Schema:
    return {"anyOf": [form, {"type": "null"}]}


def _text(description: str, *, nullable: bool = False, **limits: str) -> Schema:
    return {"description": description, "type": ["string", "null"] if nullable else "string", **limits}


def _digest(description: str) -> Schema:
    return _text(description, pattern="^([0-9a-f]{64})?$")


def _number(description: str, *, nullable: bool = False, **limits: float) -> Schema:
    return {"description": description, "type": ["number", "null"] if nullable else "number", **limits}


def _count(description: str) -> Schema:
    return {"description": description, "type": "integer", "minimum": 1}


if __name__ == "__main__":
    write_schema()
