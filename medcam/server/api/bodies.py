"""Bodies and problems as OpenAPI tells them: those that FastAPI does not read for us."""

from __future__ import annotations

from typing import Any

from medcam.core.explanation import SCHEMA_VERSION
from medcam.server.api.problems import PROBLEM
from medcam.server.api.schemas import Problem, Reference

_FILE = {"type": "string", "format": "binary"}
SUBMIT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"files": {"type": "array", "items": _FILE, "minItems": 1}},
                    "required": ["files"],
                }
            },
            'multipart/related; type="application/dicom"': {"schema": _FILE},
            "application/dicom": {"schema": _FILE},
            "application/zip": {"schema": _FILE},
            "application/json": {
                "schema": Reference.model_json_schema(),
                "example": {"source": "dicomweb://pacs.example:8042/dicom-web/studies/1.2.826.0.1.3680043.8.498.1"},
            },
        },
    }
}
EXPLANATION_EXAMPLE = {
    "schema_version": SCHEMA_VERSION,
    "method": "cam",
    "findings": [
        {
            "name": "Nodule",
            "probability": 0.5,
            "logit": 0.0,
            "bias": -1.0,
            "map": {"height": 1, "width": 2, "values": [0.5, 1.5]},
        }
    ],
}
"""Shortened: the published schema has every field. The map's mean and the bias add up to the logit."""
METRICS_EXAMPLE = (
    "# HELP medcam_api_submissions_total Submissions taken.\n"
    "# TYPE medcam_api_submissions_total counter\n"
    "medcam_api_submissions_total 3.0\n"
)
EVENTS_EXAMPLE = (
    'retry: 2000\n\nevent: progress\nid: running-1-2\ndata: {"state": "running", "done": 1, "total": 2, "code": ""}\n\n'
    'event: end\nid: done-2-2\ndata: {"state": "done", "done": 2, "total": 2, "code": ""}\n\n'
)
_EXAMPLE = {
    "type": "urn:medcam:error:no-such-submission",
    "title": "Not Found",
    "status": 404,
    "detail": "there is no such submission",
    "code": "no-such-submission",
    "next_step": "Submissions are let go of after a day; hand the files in again.",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": what, "content": {PROBLEM: {"schema": Problem.model_json_schema(), "example": _EXAMPLE}}}
    for status, what in (
        (400, "The body is malformed"),
        (401, "A token is needed"),
        (403, "This client may not do this"),
        (404, "It is not there, or it is somebody else's"),
        (408, "The body came too slowly"),
        (413, "Too large"),
        (415, "A body of another type"),
        (422, "Something in the request cannot be used"),
        (429, "Too many: wait as Retry-After says"),
        (503, "Store or disk cannot be used now"),
    )
}
