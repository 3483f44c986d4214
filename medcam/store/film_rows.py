"""Rows of films to values and back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from medcam.core.study import Study
from medcam.store.film_records import KeptExplanation, KeptFinding, KeptModel, KeptRadiograph
from medcam.store.schema import ExplanationRow, FindingRow, ModelRow, RadiographRow, StudyRow
from medcam.store.schema.base import SHORT_ID

_LENGTHS = {
    "id": SHORT_ID,
    "uid": 128,
    "patient_id": 128,
    "issuer": 128,
    "patient_name": 400,
    "accession_number": 64,
    "study_date": 8,
    "description": 200,
}
_FILM = ("id", "study_id", "uid", "sha256", "source", "view", "display", "attributes", "zones")
_EXPLANATION = ("request", "card_sha256", "model", "version", "weights_sha256", "method", "flagged", "rank", "created")


def new_study(study: Study, now: float) -> StudyRow:
    """A row for a study of which no film is kept yet. Texts longer than the standard allows are cut."""
    values = {name: getattr(study, name)[:length] for name, length in _LENGTHS.items()}
    return StudyRow(
        **values,
        films=0,
        finding="",
        probability=None,
        rank=0.0,
        flagged=False,
        readers_done=0,
        received=now,
        search="",
    )


def study_of(row: StudyRow) -> Study:
    """The study of a row."""
    return Study(**{name: getattr(row, name) for name in _LENGTHS})


def searched_text(study: Study, finding: str) -> str:
    """What a search of the worklist looks through: the words of a study and its leading finding, in capital letters."""
    name = study.patient_name.replace("^", " ").replace("=", " ")
    words = (study.id, study.patient_id, study.accession_number, name, study.description, finding)
    return " ".join(word for word in words if word).upper()


def new_film(film: KeptRadiograph, now: float) -> RadiographRow:
    """A row for a film."""
    values = {name: getattr(film, name) for name in _FILM}
    return RadiographRow(**{**values, "display": dict(film.display), "attributes": dict(film.attributes)}, created=now)


def film_of(row: RadiographRow) -> KeptRadiograph:
    """The film of a row."""
    return KeptRadiograph(**{name: getattr(row, name) for name in _FILM})


def new_explanation(radiograph_id: str, explanation: KeptExplanation) -> ExplanationRow:
    """A row for an explanation."""
    return ExplanationRow(
        id=explanation.id,
        radiograph_id=radiograph_id,
        sha256=explanation.sha256,
        content=explanation.packed,
        **{name: getattr(explanation, name) for name in _EXPLANATION},
    )


def new_findings(explanation: KeptExplanation) -> list[FindingRow]:
    """Rows for the findings of an explanation."""
    return [
        FindingRow(
            explanation_id=explanation.id,
            name=finding.name,
            probability=finding.probability,
            threshold=finding.threshold,
            margin=finding.margin,
            present=finding.present,
        )
        for finding in explanation.findings
    ]


def explanation_of(session: Session, row: ExplanationRow) -> KeptExplanation:
    """The explanation of a row, with its findings."""
    query = select(FindingRow).where(FindingRow.explanation_id == row.id).order_by(FindingRow.name)
    return KeptExplanation(
        packed=row.content,
        findings=tuple(
            KeptFinding(found.name, found.probability, found.threshold, found.margin, found.present)
            for found in session.scalars(query)
        ),
        **{name: getattr(row, name) for name in _EXPLANATION},
    )


def model_of(row: ModelRow, explanations: int) -> KeptModel:
    """The model of a row."""
    return KeptModel(row.card_sha256, row.name, row.version, row.weights_sha256, row.card, explanations)
