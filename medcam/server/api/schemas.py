"""What the API answers with, as OpenAPI describes it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from medcam.store import JobState

SUBMISSION = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
FILM = "9c56cc51b374c3ba"


class DicomObject(StrEnum):
    """Files of DICOM objects that `outputs` asks for."""

    SC = "sc.dcm"
    SEG = "seg.dcm"
    SEG_MAP = "seg-map.dcm"
    SR = "sr.dcm"
    KO = "ko.dcm"
    GSPS = "gsps.dcm"


class Problem(BaseModel):
    """RFC 9457, with a code that does not change and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    next_step: str
    errors: list[dict[str, str]] | None = None


class PassedOver(BaseModel):
    """A file without an explanation."""

    source: str
    code: str
    message: str
    next_step: str
    refused: bool


class Trouble(BaseModel):
    """Why the last try failed."""

    code: str
    message: str


class Film(BaseModel):
    """A film that is explained."""

    id: Annotated[str, Field(examples=[FILM])]
    explanation: str


class SubmissionState(BaseModel):
    """How far a submission is."""

    id: Annotated[str, Field(examples=[SUBMISSION])]
    state: JobState
    done: int
    total: int
    created: float
    expires: float
    model: str
    method: Annotated[str, Field(description="Attribution method that was asked for; empty for the model's own.")] = ""
    outputs: list[str]
    films: list[Film]
    passed_over: list[PassedOver]
    error: Trouble | None = None
    notice: str

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": SUBMISSION,
                "state": "done",
                "done": 1,
                "total": 1,
                "created": 1764150000.0,
                "expires": 1764236400.0,
                "model": "phantom",
                "method": "",
                "outputs": ["json", "sc"],
                "films": [{"id": FILM, "explanation": f"/v1/submissions/{SUBMISSION}/films/{FILM}/explanation"}],
                "passed_over": [],
                "error": None,
                "notice": "Research use. Not a medical device.",
            }
        }
    )


class SubmissionLine(BaseModel):
    """A submission in a list."""

    id: Annotated[str, Field(examples=[SUBMISSION])]
    created: Annotated[float, Field(description="Seconds since 1970 UTC.", examples=[1764150000.0])]
    expires: Annotated[float, Field(description="When it is let go of.", examples=[1764236400.0])]
    model: Annotated[str, Field(examples=["phantom"])]
    files: Annotated[int, Field(description="That were handed in; 0 for a reference.", examples=[1])]


class Reference(BaseModel):
    """What is to be fetched from a DICOMweb service that the server was started with."""

    source: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2000,
            description="As `medcam annotate` takes it: dicomweb://host[:port]/path/studies/UID[/series/UID...]",
            examples=["dicomweb://pacs.example:8042/dicom-web/studies/1.2.826.0.1.3680043.8.498.1"],
        ),
    ]
    model_config = ConfigDict(extra="forbid")


class ModelLine(BaseModel):
    """A model that submissions may name."""

    name: Annotated[str, Field(examples=["phantom"])]
    version: Annotated[str, Field(examples=["1.0"])]
    findings: Annotated[list[str], Field(examples=[["Nodule", "Pleural Effusion"]])]


class Health(BaseModel):
    """Whether the server lives and can work."""

    live: Annotated[bool, Field(examples=[True])]
    ready: Annotated[bool, Field(examples=[False])]
    reasons: Annotated[list[str], Field(description="Why it is not ready.", examples=[["no worker process runs"]])]
