"""Routes that hand films in, follow them and let go of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from medcam.core.api_token import Scope
from medcam.core.errors import ModelError, UsageError
from medcam.core.explanation import RESEARCH_USE
from medcam.dicom.network.destination import is_web
from medcam.dicom.network.query import parse_query
from medcam.models.cards import DEFAULT_MODEL, probe_names, read_card
from medcam.models.known import model_names
from medcam.server.api.access import allowed
from medcam.server.api.bodies import PROBLEMS, SUBMIT_BODY
from medcam.server.api.context import ApiContext, Client, context_of
from medcam.server.api.problems import ApiError
from medcam.server.api.schemas import SUBMISSION, Reference, SubmissionLine, SubmissionState
from medcam.server.api.upload import malformed, read_files
from medcam.service.annotate.options import parse_outputs
from medcam.service.explanations.method_choice import chosen_method
from medcam.service.submissions.results import SubmissionResults
from medcam.service.submissions.submission import Submission

router = APIRouter(tags=["submissions"], responses=PROBLEMS)
_LONGEST_REFERENCE = 10_000

Submitter = Annotated[Client, Depends(allowed(Scope.SUBMIT))]
Reader = Annotated[Client, Depends(allowed(Scope.READ))]
SubmissionPath = Annotated[str, Path(description="As it was answered.", examples=[SUBMISSION], max_length=64)]
ModelQuery = Annotated[str, Query(max_length=200, description="A name of `GET /v1/models`, with `+PROBE` for probes.")]
MethodQuery = Annotated[str, Query(max_length=40, description="Attribution method; empty for the model's own.")]
OutputsQuery = Annotated[
    str, Query(max_length=100, description="What is made of each film: json, sc, seg, sr, ko, gsps, by commas.")
]


@router.post("/v1/submissions", status_code=202, response_model=SubmissionState, openapi_extra=SUBMIT_BODY)
async def submit(
    request: Request,
    client: Submitter,
    model: ModelQuery = DEFAULT_MODEL,
    method: MethodQuery = "",
    outputs: OutputsQuery = "json",
) -> Response:
    """Hands in an instance or a study, as files or as a reference; it is explained when its turn comes."""
    context = context_of(request)
    context.submitting.take(client.label)
    asked = await run_in_threadpool(_asked, model, method, outputs)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        source = await _reference(request, context)
        submission = await run_in_threadpool(context.box.refer, client.label, source, **asked)
    else:
        files = await read_files(request, context.settings)
        try:
            submission = await run_in_threadpool(context.box.take, client.label, files, **asked)
        finally:
            for _, file in files:
                file.close()
    body = {"submission": submission.id, "model": model, "files": submission.files, "bytes": submission.bytes}
    await run_in_threadpool(context.note, "submission-taken", client.label, body)
    context.metrics.submissions.inc()
    context.metrics.bytes.inc(submission.bytes)
    state = await run_in_threadpool(_state, context, submission)
    headers = {"Location": f"/v1/submissions/{submission.id}"}
    return JSONResponse(state.model_dump(mode="json"), status_code=202, headers=headers)


@router.post(
    "/v1/studies", status_code=202, response_model=SubmissionState, openapi_extra=SUBMIT_BODY, summary="Like STOW-RS"
)
async def store_instances(
    request: Request,
    client: Submitter,
    model: ModelQuery = DEFAULT_MODEL,
    method: MethodQuery = "",
    outputs: OutputsQuery = "json",
) -> Response:
    """The same under the name that STOW-RS clients call; the answer is the submission, since nothing is kept."""
    return await submit(request, client, model, method, outputs)


@router.get("/v1/submissions")
def submissions(request: Request, client: Reader) -> list[SubmissionLine]:
    """The client's own submissions, the newest first."""
    context = context_of(request)
    return [
        SubmissionLine(id=one.id, created=one.created, expires=one.expires, model=one.model, files=one.files)
        for one in context.box.owned(client.label)
    ]


@router.get("/v1/submissions/{submission_id}")
def submission(request: Request, client: Reader, submission_id: SubmissionPath) -> SubmissionState:
    """How far a submission is, which films are explained, and what became of the other files."""
    context = context_of(request)
    return _state(context, context.box.find(submission_id, client.label))


@router.delete("/v1/submissions/{submission_id}", status_code=204)
def let_go(request: Request, client: Submitter, submission_id: SubmissionPath) -> Response:
    """Lets go of a submission and of all that was made of it, at once."""
    context = context_of(request)
    found = context.box.find(submission_id, client.label)
    context.note("submission-discarded", client.label, {"submission": found.id})
    context.box.discard(found)
    return Response(status_code=204)


def _asked(model: str, method: str, outputs: str) -> dict[str, Any]:
    """What is asked for, checked before anything is read.

    Raises:
        ModelError: There is no such model. A path is none: clients do not choose files of the server.
        UsageError: An output or method is none.
    """
    name, *probes = model.split("+")
    if name not in model_names() or not set(probes) <= set(probe_names()):
        raise ModelError("there is no such model here", code="no-such-model", next_step="See GET /v1/models.")
    kinds = parse_outputs(outputs)
    if "png" in kinds:
        raise UsageError(
            "pictures are drawn when they are asked for",
            code="unknown-output",
            next_step="Leave png out, and get overlay.png of a film.",
        )
    if method:
        chosen_method(method, read_card(model))
    return {"model": model, "method": method, "outputs": tuple(str(kind) for kind in kinds)}


async def _reference(request: Request, context: ApiContext) -> str:
    """The source that a JSON body names, where the server may be asked to fetch from there."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > _LONGEST_REFERENCE:
            raise malformed("a reference is short")
    try:
        source = Reference.model_validate_json(body).source
    except ValidationError as error:
        raise malformed('a reference is {"source": "dicomweb://..."}') from error
    query = parse_query(source) if is_web(source) else None
    if query is None or query.url not in context.settings.base_urls:
        raise ApiError(
            403,
            "this server does not fetch from there",
            code="service-not-allowed",
            next_step="Name a service that the server was started with (`medcam serve --service`).",
        )
    if not query.study or query.matches:
        raise ApiError(
            422,
            "a reference names one study, series or instance by its UID",
            code="not-a-study",
            next_step="Write dicomweb://HOST[:PORT]/PATH/studies/UID; `medcam annotate` takes searches.",
        )
    return source


def _state(context: ApiContext, submission: Submission) -> SubmissionState:
    status = context.box.status(submission)
    results = SubmissionResults(context.box.folder_of(submission.id))
    base = f"/v1/submissions/{submission.id}/films"
    return SubmissionState.model_validate(
        {
            "id": submission.id,
            "state": status.state,
            "done": status.done,
            "total": status.total or submission.files,
            "created": submission.created,
            "expires": submission.expires,
            "model": submission.model,
            "method": submission.method,
            "outputs": list(submission.outputs),
            "films": [{"id": film, "explanation": f"{base}/{film}/explanation"} for film in results.films()],
            "passed_over": [asdict(one) for one in status.passed_over],
            "error": {"code": status.error_code, "message": status.error_message} if status.error_code else None,
            "notice": RESEARCH_USE,
        }
    )
