"""What a record of decisions holds of films: a results folder or a store, read the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from medcam.core.errors import InputError, UsageError
from medcam.core.explanation import Explanation, ModelReference
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.service.audit.replay import source_gone, source_of
from medcam.service.audit.results import FolderSources, ResultsFolder, folder_sources, results_folder
from medcam.service.evaluation.observed_film import ObservedFilm, age_in_years, observed_film, record_attributes
from medcam.service.explanations.explanation_json import FILE_NAME, read_explanation
from medcam.service.studies.opened import OpenedStore, opened_store
from medcam.service.studies.shown import explanation_of
from medcam.store import KeptExplanation, KeptRadiograph

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Observed:
    """All films of a record by one model, one decision each.

    Args:
        kind: "results" or "store".
        label: Names the record, without a password.
        model: Who spoke.
        method: Attribution method.
        engine: Name and precision of what computed the maps, of the first film.
        software: Versions on record, of the first film.
        films: In the record's order.
        others: Decisions that are left out: by another model, or an older one on the same film.
        card: The model's card as JSON, where the record holds it.
    """

    kind: str
    label: str
    model: ModelReference
    method: str
    engine: str
    software: Mapping[str, str]
    films: tuple[ObservedFilm, ...] = field(repr=False)
    others: int = 0
    card: str | None = field(default=None, repr=False)


def observe_folder(folder: ResultsFolder, sources: FolderSources, progress: Progress = lambda *_: None) -> Observed:
    """Reads a results folder. Sex, age and manufacturer are not in it: the films' own headers or the truth have them.

    Args:
        folder: What `medcam annotate` wrote.
        sources: Where its films may lie; where any are named, their headers are read.
        progress: Called with how many are read, and of how many.

    Raises:
        UsageError: It holds no result (code `nothing-observed`).
        InputError: A result cannot be read.
    """
    films, first, others = [], None, 0
    ids = folder.ids
    with ReaderPool(1) if sources.inputs else nullcontext() as readers:
        for done, result in enumerate(ids, start=1):
            read = partial(read_explanation, folder.path / result / FILE_NAME)
            explanation = read()
            first = first or explanation
            progress(done, len(ids))
            if explanation.model != first.model:
                others += 1
                continue
            name = folder.names.get(result, result)
            source = partial(sources.read, name, explanation.source.sha256)
            header = {} if readers is None else _header(source, readers)
            films.append(
                observed_film(
                    explanation,
                    result,
                    name,
                    source=source,
                    again=read,
                    patient=_patient(header),
                    attributes=record_attributes(header),
                    age=age_in_years(str(header.get("PatientAge") or "")),
                )
            )
    return _observed("results", folder.path.name, first, films, others, None)


def observe_store(
    opened: OpenedStore,
    *,
    card: str | None = None,
    since: date | None = None,
    until: date | None = None,
    progress: Progress = lambda *_: None,
) -> Observed:
    """Reads what one model of a store said of its films: the newest decision on each.

    Args:
        opened: The store.
        card: Digest of the model's card; None for the newest model.
        since: Films from this day on.
        until: Films before this day.
        progress: Called with how many are read, and of how many.

    Raises:
        UsageError: It holds nothing of that time (code `nothing-observed`).
    """
    models = [model for model in opened.films.models() if model.explanations and card in (None, model.card_sha256)]
    card = models[0].card_sha256 if models else ""
    newest: dict[str, tuple[KeptExplanation, KeptRadiograph]] = {}
    ids, others = opened.films.explanation_ids(), 0
    for done, one in enumerate(ids, start=1):
        found = opened.films.explanation(one)
        progress(done, len(ids))
        if found is None or found[0].card_sha256 != card:
            others += 1
            continue
        others += found[1].id in newest
        newest[found[1].id] = found
    films, first = [], None
    for kept, film in newest.values():
        day = _day(film, kept)
        if _within(day, since, until):
            explanation = explanation_of(kept)
            first = first or explanation
            films.append(_of_store(opened, kept, film, explanation, day))
    return _observed("store", _label(opened), first, films, others, models[0].card if models else None)


def observe(
    named: str | None,
    sources: Sequence[str] = (),
    *,
    since: date | None = None,
    until: date | None = None,
    progress: Progress = lambda *_: None,
) -> Observed:
    """Reads a results folder or a store, whichever is named; arguments and errors as of the two above."""
    folder = results_folder(named)
    if folder is None:
        with opened_store(named, make=False) as opened:
            return observe_store(opened, since=since, until=until, progress=progress)
    whole = observe_folder(folder, folder_sources(sources, folder.path), progress)
    if since is None and until is None:
        return whole
    kept = [film for film in whole.films if _within(film.day, since, until)]
    first = kept[0].explanation() if kept else None
    return _observed("results", whole.label, first, kept, whole.others, None)


def _label(opened: OpenedStore) -> str:
    """A store's name, without the machine's folders."""
    file = opened.address.file
    return opened.address.label if file is None else file.parent.name


def _within(day: date | None, since: date | None, until: date | None) -> bool:
    return day is not None and (since is None or day >= since) and (until is None or day < until)


def _of_store(
    opened: OpenedStore, kept: KeptExplanation, film: KeptRadiograph, explanation: Explanation, day: date
) -> ObservedFilm:
    attributes = film.attributes
    path = opened.files.source_path(film.sha256, film.source)
    return observed_film(
        explanation,
        kept.id,
        path.name,
        source=partial(_read_path, path, film.sha256),
        again=partial(explanation_of, kept),
        patient=_patient(attributes) or film.study_id,
        day=day,
        attributes=record_attributes(attributes),
        age=age_in_years(str(attributes.get("PatientAge") or "")),
    )


def _observed(
    kind: str, label: str, first: Explanation | None, films: list[ObservedFilm], others: int, card: str | None
) -> Observed:
    if first is None:
        raise UsageError(
            f"{label} holds no decision of that time",
            code="nothing-observed",
            next_step="Name what `medcam annotate --out` or `--store` wrote, and a period in which it did.",
        )
    engine = f"{first.engine.name} {first.engine.precision}"
    return Observed(kind, label, first.model, first.method, engine, first.software, tuple(films), others, card)


def _day(film: KeptRadiograph, kept: KeptExplanation) -> date:
    text = str(film.attributes.get("StudyDate") or "")
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return datetime.fromtimestamp(kept.created, UTC).date()


def _read_path(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise source_gone(error.strerror or "missing") from error
    return source_of(data, sha256)


def _header(source: Callable[[], bytes], readers: ReaderPool) -> dict[str, object]:
    """Attributes of a film as a store would keep them; none where its file is not there or cannot be read."""
    try:
        data = source()
        film = readers.radiograph(data, "film.dcm")
        return {**readers.open(data, "film.dcm").attributes(), "film": film.attributes}
    except InputError:
        return {}


def _patient(attributes: Mapping[str, object]) -> str:
    return " ".join(str(attributes.get(key) or "") for key in ("IssuerOfPatientID", "PatientID")).strip()
