"""Studies, their radiographs and what models said of them. Explanations are only ever added."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from medcam.core.errors import InputError
from medcam.core.leading import leading_first
from medcam.core.remembered import Remembered
from medcam.core.study import Study
from medcam.store.engine import Store
from medcam.store.errors import ConflictError
from medcam.store.film_records import KeptExplanation, KeptModel, KeptRadiograph, StudyContents
from medcam.store.film_rows import (
    explanation_of,
    film_of,
    model_of,
    new_explanation,
    new_film,
    new_findings,
    new_study,
    searched_text,
    study_of,
)
from medcam.store.schema import ExplanationRow, FindingRow, ModelRow, RadiographRow, StudyRow
from medcam.store.trail import AuditDraft, AuditTrail

_REMEMBERED = 48
"""Explanations, packed, and models that a store keeps in memory: a few hundred KB each."""


class FilmStore:
    """The films of a store. Every method is one transaction; all raise `StoreError` where the database fails.

    Args:
        store: The database.
        trail: Where it is noted that an explanation was kept, in the same transaction.
    """

    def __init__(self, store: Store, trail: AuditTrail | None = None) -> None:
        self._store, self._trail = store, trail
        self._explanations: Remembered[KeptExplanation] = Remembered(_REMEMBERED)
        self._models: Remembered[KeptModel] = Remembered(_REMEMBERED)

    def holds(self, radiograph_id: str, request: str) -> bool:
        """Whether an explanation of this film for this request is kept."""
        query = select(ExplanationRow.id).where(
            ExplanationRow.radiograph_id == radiograph_id, ExplanationRow.request == request
        )
        with self._store.read() as session:
            return session.scalar(query) is not None

    def keep(self, study: Study, film: KeptRadiograph, explanation: KeptExplanation, now: float) -> bool:
        """Keeps an explanation with its film and study, whichever of them are new.

        Args:
            study: The film's study; one that is known is left as it is.
            film: The film; of one that is known only where it lies is taken over.
            explanation: What was said.
            now: Seconds since 1970 UTC.

        Returns:
            Whether it is new.

        Raises:
            InputError: A film of the same UID and other content is kept already (code `duplicate-uid`).
        """
        try:
            return self._keep(study, film, explanation, now)
        except ConflictError:  # PostgreSQL: somebody else kept the same study at the same moment
            return self._keep(study, film, explanation, now)

    def _keep(self, study: Study, film: KeptRadiograph, explanation: KeptExplanation, now: float) -> bool:
        with self._store.begin() as session:
            row = session.get(StudyRow, study.id, with_for_update=True)
            if row is None:
                row = new_study(study, now)
                session.add(row)
                session.flush()
            _add_film(session, film, now)
            known = select(ExplanationRow.id).where(
                ExplanationRow.radiograph_id == film.id, ExplanationRow.request == explanation.request
            )
            if session.scalar(known) is not None:
                return False
            session.add(new_explanation(film.id, explanation))
            session.flush()
            session.add_all(new_findings(explanation))
            session.flush()
            _sum_up(session, row)
            if self._trail is not None:
                self._trail.add(session, _kept(study, film, explanation))
            return True

    def keep_model(self, model: KeptModel, now: float) -> None:
        """Keeps a model's card, once; explanations refer to it."""
        try:
            with self._store.begin() as session:
                if session.get(ModelRow, model.card_sha256) is None:
                    names = ("card_sha256", "name", "version", "weights_sha256", "card")
                    session.add(ModelRow(**{name: getattr(model, name) for name in names}, created=now))
        except ConflictError:  # PostgreSQL: somebody else kept it at the same moment
            return

    def models(self) -> list[KeptModel]:
        """All models that spoke, the newest first."""
        counted = select(ExplanationRow.card_sha256, func.count()).group_by(ExplanationRow.card_sha256)
        query = select(ModelRow).order_by(ModelRow.created.desc(), ModelRow.card_sha256)
        with self._store.read() as session:
            counts = {row[0]: row[1] for row in session.execute(counted)}
            return [model_of(row, counts.get(row.card_sha256, 0)) for row in session.scalars(query)]

    def model(self, card_sha256: str) -> KeptModel | None:
        """A model by its card's digest; None where it is not known."""
        known = self._models.get(card_sha256)
        if known is not None:
            return known
        with self._store.read() as session:
            row = session.get(ModelRow, card_sha256)
            if row is None:
                return None
            known = model_of(row, 0)
            self._models.keep(card_sha256, known)
            return known

    def study(self, study_id: str) -> Study | None:
        """A study; None where there is none of this id."""

        def answer(session: Session) -> Study | None:
            row = session.get(StudyRow, study_id)
            return None if row is None else study_of(row)

        return self._store.ask(("study", study_id), answer)

    def known(self, study_ids: Collection[str]) -> frozenset[str]:
        """Which of some studies are there."""
        ids = tuple(sorted(set(study_ids)))
        query = select(StudyRow.id).where(StudyRow.id.in_(ids))
        return self._store.ask(("known", ids), lambda session: frozenset(session.scalars(query)))

    def films_of(self, study_ids: Collection[str]) -> dict[str, tuple[KeptRadiograph, ...]]:
        """The films of several studies by study, each in the order in which they came."""
        ids = tuple(sorted(set(study_ids)))
        query = (
            select(RadiographRow)
            .where(RadiographRow.study_id.in_(ids))
            .order_by(RadiographRow.created, RadiographRow.id)
        )

        def answer(session: Session) -> tuple[KeptRadiograph, ...]:
            return tuple(film_of(row) for row in session.scalars(query))

        found = self._store.ask(("films", ids), answer) if ids else ()
        return {one: tuple(film for film in found if film.study_id == one) for one in ids}

    def films(self, study_id: str) -> list[KeptRadiograph]:
        """The films of a study, in the order in which they came."""
        return list(self.films_of([study_id])[study_id])

    def film(self, radiograph_id: str) -> KeptRadiograph | None:
        """A film; None where there is none of this id."""
        with self._store.read() as session:
            row = session.get(RadiographRow, radiograph_id)
            return None if row is None else film_of(row)

    def explanations(self, radiograph_id: str) -> list[KeptExplanation]:
        """What models said of a film, the newest first. Which there are is asked each time, what they are only once."""
        query = (
            select(ExplanationRow.id)
            .where(ExplanationRow.radiograph_id == radiograph_id)
            .order_by(ExplanationRow.created.desc(), ExplanationRow.id)
        )
        with self._store.read() as session:
            return [self._remembered(session, one) for one in session.scalars(query)]

    def _remembered(self, session: Session, explanation_id: str) -> KeptExplanation:
        known = self._explanations.get(explanation_id)
        if known is None:
            known = explanation_of(session, session.get_one(ExplanationRow, explanation_id))
            self._explanations.keep(explanation_id, known)
        return known

    def explanation(self, explanation_id: str) -> tuple[KeptExplanation, KeptRadiograph] | None:
        """What a model said, with its film; None where there is none of this id."""
        with self._store.read() as session:
            row = session.get(ExplanationRow, explanation_id)
            if row is None:
                return None
            film = session.get(RadiographRow, row.radiograph_id)
            assert film is not None
            return explanation_of(session, row), film_of(film)

    def explanation_ids(self) -> list[str]:
        """All explanations, the oldest first."""
        with self._store.read() as session:
            return list(session.scalars(select(ExplanationRow.id).order_by(ExplanationRow.created, ExplanationRow.id)))

    def contents(self, study_id: str) -> StudyContents | None:
        """A study with all that a page shows of it, as it is at one moment; None where there is none of this id."""
        films = (
            select(RadiographRow)
            .where(RadiographRow.study_id == study_id)
            .order_by(RadiographRow.created, RadiographRow.id)
        )
        said = (
            select(ExplanationRow.radiograph_id, ExplanationRow.id)
            .join(RadiographRow, RadiographRow.id == ExplanationRow.radiograph_id)
            .where(RadiographRow.study_id == study_id)
            .order_by(ExplanationRow.created.desc(), ExplanationRow.id)
        )
        with self._store.read() as session:
            row = session.get(StudyRow, study_id)
            if row is None:
                return None
            kept = [film_of(film) for film in session.scalars(films)]
            explanations: dict[str, list[KeptExplanation]] = {film.id: [] for film in kept}
            for film_id, explanation_id in session.execute(said):
                explanations[film_id].append(self._remembered(session, explanation_id))
            study = study_of(row)
            found = tuple((film, tuple(explanations[film.id])) for film in kept)
            return StudyContents(study, found, tuple(_priors(session, study)))

    def counts(self) -> dict[str, int]:
        """How many studies, radiographs and explanations there are."""
        tables = {"studies": StudyRow, "radiographs": RadiographRow, "explanations": ExplanationRow}
        with self._store.read() as session:
            return {name: session.scalar(select(func.count()).select_from(row)) or 0 for name, row in tables.items()}


def _priors(session: Session, study: Study) -> list[Study]:
    """Earlier studies of the same patient, the latest first; none where patient or date are not known."""
    if not (study.patient_id and study.study_date):
        return []
    query = (
        select(StudyRow)
        .where(
            StudyRow.patient_id == study.patient_id,
            StudyRow.issuer == study.issuer,
            StudyRow.study_date < study.study_date,
            StudyRow.study_date != "",
        )
        .order_by(StudyRow.study_date.desc(), StudyRow.id)
    )
    return [study_of(row) for row in session.scalars(query)]


def _add_film(session: Session, film: KeptRadiograph, now: float) -> None:
    row = session.get(RadiographRow, film.id)
    if row is not None:
        if row.sha256 != film.sha256:
            raise InputError(
                "a film of the same SOP Instance UID and other content is in the store",
                code="duplicate-uid",
                next_step="Find out which of the two is right, and annotate that one into a store of its own.",
            )
        row.source = film.source
        return
    session.add(new_film(film, now))
    session.flush()


def _sum_up(session: Session, study: StudyRow) -> None:
    """Repeats in the study what the leading explanations of its films say."""
    query = (
        select(ExplanationRow)
        .join(RadiographRow, ExplanationRow.radiograph_id == RadiographRow.id)
        .where(RadiographRow.study_id == study.id)
        .order_by(ExplanationRow.created.desc(), ExplanationRow.id)
    )
    said: dict[str, list[ExplanationRow]] = {}
    for row in session.scalars(query):
        said.setdefault(row.radiograph_id, []).append(row)
    leading = [leading_first(rows)[0] for rows in said.values()]
    films = select(func.count()).select_from(RadiographRow).where(RadiographRow.study_id == study.id)
    first = min(leading, key=lambda row: (row.rank, row.id))
    top = _top_finding(session, first.id)
    study.films = session.scalar(films) or 0
    study.rank = first.rank
    study.flagged = any(row.flagged for row in leading)
    study.finding, study.probability = (top.name, top.probability) if top else ("", None)
    study.search = searched_text(study_of(study), study.finding)


def _top_finding(session: Session, explanation_id: str) -> FindingRow | None:
    """The finding that is present and furthest over its threshold."""
    present = select(FindingRow).where(FindingRow.explanation_id == explanation_id, FindingRow.present.is_(True))
    return session.scalar(present.order_by(FindingRow.margin.desc(), FindingRow.name).limit(1))


def _kept(study: Study, film: KeptRadiograph, explanation: KeptExplanation) -> AuditDraft:
    return AuditDraft(
        "explanation-kept",
        study=study.id,
        body={
            "film": film.id,
            "film_sha256": film.sha256,
            "explanation": explanation.id,
            "explanation_sha256": explanation.sha256,
            "model": explanation.model,
            "version": explanation.version,
            "weights_sha256": explanation.weights_sha256,
            "method": explanation.method,
        },
    )
