"""Routes that give results: explanations, pictures and DICOM objects."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from medcam.overlay.blend import STRONGEST
from medcam.server.api.bodies import EXPLANATION_EXAMPLE, PROBLEMS
from medcam.server.api.context import ApiContext, Client, context_of
from medcam.server.api.schemas import FILM, DicomObject
from medcam.server.api.submitting import Reader, SubmissionPath
from medcam.service.submissions.results import Look, SubmissionResults

router = APIRouter(prefix="/v1/submissions/{submission_id}/films/{film}", tags=["results"], responses=PROBLEMS)
_LARGEST, _SMALLEST = 2048, 64
_FORM = "explanation.json, whose schema is published in the documentation as explanation.schema.json"

ObjectPath = Annotated[DicomObject, Path(description="File name.", examples=["sc.dcm"])]
FilmPath = Annotated[str, Path(description="As the status lists it.", examples=[FILM], max_length=64)]


@router.get(
    "/explanation",
    response_class=Response,
    responses={
        200: {
            "content": {"application/json": {"schema": {"type": "object"}, "example": EXPLANATION_EXAMPLE}},
            "description": _FORM,
        }
    },
)
def explanation(request: Request, client: Reader, submission_id: SubmissionPath, film: FilmPath) -> Response:
    """`explanation.json` of a film, as `medcam annotate` writes it."""
    context = context_of(request)
    found = _results(context, client, submission_id).explanation(film)
    return _given(context, client, submission_id, film, "explanation", found, "application/json")


@router.get(
    "/overlay.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "RGB, with legend and notice"}},
)
def overlay(
    request: Request,
    client: Reader,
    submission_id: SubmissionPath,
    film: FilmPath,
    finding: Annotated[str, Query(max_length=100, examples=["nodule"])],
    threshold: Annotated[
        float | None,
        Query(ge=0.0, le=1e6, examples=[0.1], description="Logit units per cell; by default that of the region rule."),
    ] = None,
    opacity: Annotated[float, Query(ge=0.0, le=1.0, description="Of the colours at full scale.")] = STRONGEST,
    size: Annotated[int, Query(ge=_SMALLEST, le=_LARGEST, description="Pixels along the film's longer side.")] = 1024,
    signed: Annotated[bool, Query(description="Colours evidence against too.")] = False,
) -> Response:
    """The map of a finding on the film, drawn as asked for."""
    context = context_of(request)
    results = _results(context, client, submission_id)
    picture = results.overlay(film, finding, Look(threshold, opacity, size, signed), context.readers.radiograph)
    return _given(context, client, submission_id, film, "overlay", picture, "image/png")


@router.get(
    "/objects/{name}",
    response_class=Response,
    responses={200: {"content": {"application/dicom": {}}, "description": "A DICOM file"}},
)
def dicom_object(
    request: Request, client: Reader, submission_id: SubmissionPath, film: FilmPath, name: ObjectPath
) -> Response:
    """A DICOM object that `outputs` asked for."""
    context = context_of(request)
    found = _results(context, client, submission_id).object(film, name.value)
    return _given(context, client, submission_id, film, name.value, found, "application/dicom")


def _results(context: ApiContext, client: Client, submission_id: str) -> SubmissionResults:
    submission = context.box.find(submission_id, client.label)
    return SubmissionResults(context.box.folder_of(submission.id))


def _given(
    context: ApiContext, client: Client, submission: str, film: str, what: str, content: bytes, kind: str
) -> Response:
    digest = hashlib.sha256(content).hexdigest()
    body = {"submission": submission, "film": film, "what": what, "sha256": digest}
    context.note("result-downloaded", client.label, body)
    headers = {"Cache-Control": "private, no-store", "ETag": f'"{digest}"'}
    return Response(content, media_type=kind, headers=headers)
