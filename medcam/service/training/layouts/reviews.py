"""Reviews of a store: readers' answers become labels, and the regions that they marked become places.

Of each reader the last answer to a finding of a film counts. Where readers differ, or one is uncertain, the label is
uncertain. A region that a model showed and a reader agreed to is no place: a model is not taught by its own maps.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from medcam.core.errors import UsageError
from medcam.core.review import MarkedRegion, MarkKind
from medcam.evaluate.formats.places import Place
from medcam.models.training.films import UNCERTAIN
from medcam.service.agreement.cases import Case, cases_of
from medcam.service.studies.address import store_address
from medcam.service.studies.opened import OpenedStore, opened_store
from medcam.service.training.layouts.listing import ABSENT, PRESENT, Layout, ListedFilm, Listing, agreed
from medcam.store import AnswerStore


def fits(source: str) -> bool:
    """Whether it is the folder of a store, or the URL of one."""
    if "://" in source:
        return True
    try:
        file = store_address(source).file
    except UsageError:
        return False
    return file is not None and file.is_file()


def read(source: str) -> Listing:
    """Reads the answers of a store.

    Raises:
        UsageError: There is no store (`no-store`), or nobody answered anything (`training-table`).
        StoreError: The database cannot be used.
    """
    with opened_store(source, make=False) as opened:
        cases = _last(opened)
        films = [listed for film, answers in _by_film(cases).items() if (listed := _listed(opened, film, answers))]
    findings = tuple(sorted({name for film in films for name in film.labels}))
    if not findings:
        raise UsageError(
            "no reader has answered anything in this store",
            code="training-table",
            next_step="Let readers answer first: `medcam review`.",
        )
    note = "Labels are readers' answers; a finding that nobody answered about is unknown."
    return Listing(LAYOUT.name, findings, tuple(films), notes=(note,))


def _last(opened: OpenedStore) -> list[Case]:
    """The last answer of each reader to each finding of each film, blind or aided, whatever model it is about."""
    answers = AnswerStore(opened.store)
    given = list(answers.answers())
    said = [one for model in opened.films.models() for one in answers.said(model.card_sha256)]
    last: dict[tuple[int, str, str], Case] = {}
    for case in sorted(cases_of(given, said).cases, key=lambda case: case.created):
        last[case.reader, case.film, case.finding] = case
    return list(last.values())


def _by_film(cases: list[Case]) -> dict[str, list[Case]]:
    found = defaultdict[str, list[Case]](list)
    for case in cases:
        found[case.film].append(case)
    return found


def _listed(opened: OpenedStore, film_id: str, cases: list[Case]) -> ListedFilm | None:
    film = opened.films.film(film_id)
    if film is None:
        return None
    votes, regions = defaultdict[str, list[int]](list), defaultdict[str, list[MarkedRegion]](list)
    for case in cases:
        votes[case.finding].append(UNCERTAIN if case.present is None else PRESENT if case.present else ABSENT)
        if case.present and case.region is not None:
            regions[case.finding].append(case.region)
    labels = {name: agreed(given) for name, given in votes.items()}
    path = opened.files.source_path(film.sha256, film.source)
    return ListedFilm(
        path=path if path.is_file() else None,
        name=film_id,
        labels=labels,
        patient=cases[0].patient,
        places={name: _place(marked) for name, marked in regions.items() if labels[name] == PRESENT},
    )


def _place(regions: list[MarkedRegion]) -> Place:
    boxes = tuple(region.box for region in regions if region.kind is MarkKind.BOX)
    outlines = tuple(
        np.array([(point.x, point.y) for point in region.points], dtype=np.float64)
        for region in regions
        if region.kind is MarkKind.OUTLINE
    )
    return Place(boxes=boxes, contours=outlines)


LAYOUT = Layout("reviews", "a store: readers' answers and the regions that they marked", fits, read)
