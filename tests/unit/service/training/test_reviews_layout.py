"""Readers' answers as labels, and the regions that they marked as places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import written_layouts as written

from medcam.core.card import InputRecipe
from medcam.core.errors import UsageError
from medcam.core.finding import Point
from medcam.core.geometry import Box
from medcam.core.reader import Reader, Role
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase, Review
from medcam.core.study import Study
from medcam.models.training.films import UNCERTAIN
from medcam.service.studies.opened import OpenedStore, opened_store
from medcam.service.training.layouts.every import read_listing
from medcam.service.training.own_films import Reading, own_films
from medcam.store import KeptExplanation, KeptFinding, KeptModel, KeptRadiograph, pack_content

CALLED = {"Opacity": True, "Nodule": False}
X, Y, WIDTH, HEIGHT = written.BOX
BOX = MarkedRegion(MarkKind.BOX, (Point(X, Y), Point(X + WIDTH, Y + HEIGHT)))
OUTLINE = MarkedRegion(MarkKind.OUTLINE, (Point(2, 2), Point(12, 2), Point(12, 12), Point(2, 12)))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedStore]:
    """Four films of two patients; the model calls opacity present and no nodule on each. The last film is gone."""
    with opened_store(tmp_path / "store") as store:
        for model in ("a", "b"):
            store.films.keep_model(KeptModel(model * 64, model, "1", "w" * 64, "{}"), now=0.0)
        for number in range(4):
            path = tmp_path / "films" / f"{number}.dcm"
            if number < 3:
                written.dicom(path, number)
            key = f"{number:016x}"
            film = KeptRadiograph(key, key, f"1.3.{number}", f"{number:064x}", f"file:{path}", "PA", {}, {})
            found = tuple(KeptFinding(name, 0.7, 0.5, 0.1, present) for name, present in CALLED.items())
            said = KeptExplanation(
                request=f"request {number}",
                card_sha256=("a" if number else "b") * 64,
                model="m",
                version="1",
                weights_sha256="w" * 64,
                method="cam",
                flagged=False,
                rank=0.0,
                findings=found,
                packed=pack_content(f'{{"film": {number}}}'.encode()),
                created=0.0,
            )
            store.films.keep(Study(id=key, uid=f"1.2.{number}", patient_id=f"P{number // 2}"), film, said, now=0.0)
        yield store


def answer(
    opened: OpenedStore, who: str, film: int, finding: str, given: Answer, region: MarkedRegion | None = None
) -> None:
    reader: Reader = opened.readers.set("local", who, name=who, roles=[Role.READER], everything=True)
    key, phase = f"{film:016x}", Phase.BLIND if given in (Answer.PRESENT, Answer.ABSENT) else Phase.AIDED
    said = None if phase is Phase.BLIND else opened.films.explanations(key)[0].id
    opened.reviews.add(Review(key, key, said, reader.id, phase, finding, given, region=region), reader)


def test_answers_become_labels_whatever_model_they_are_about(opened: OpenedStore, tmp_path: Path) -> None:
    answer(opened, "ada", 0, "Opacity", Answer.AGREE)
    answer(opened, "ada", 0, "Nodule", Answer.AGREE)
    answer(opened, "ada", 1, "Opacity", Answer.DISAGREE)
    answer(opened, "ada", 2, "Opacity", Answer.UNCERTAIN)
    answer(opened, "ada", 2, "Nodule", Answer.ABSENT)
    listing = read_listing(str(tmp_path / "store"))
    assert (listing.layout, listing.findings) == ("reviews", ("Nodule", "Opacity"))
    labels = {int(film.name, 16): film.labels for film in listing.films}
    assert labels == {0: {"Opacity": 1, "Nodule": 0}, 1: {"Opacity": 0}, 2: {"Opacity": UNCERTAIN, "Nodule": 0}}
    patients = [film.patient for film in listing.films]
    assert patients[0] == patients[1] != patients[2]


def test_the_last_answer_counts_and_readers_who_differ_leave_doubt(opened: OpenedStore, tmp_path: Path) -> None:
    answer(opened, "ada", 0, "Opacity", Answer.PRESENT)
    answer(opened, "ada", 0, "Opacity", Answer.DISAGREE)
    answer(opened, "ada", 1, "Opacity", Answer.AGREE)
    answer(opened, "ben", 1, "Opacity", Answer.DISAGREE)
    labels = [film.labels["Opacity"] for film in read_listing(str(tmp_path / "store")).films]
    assert labels == [0, UNCERTAIN]


def test_what_readers_marked_becomes_places_and_what_they_agreed_to_does_not(
    opened: OpenedStore, tmp_path: Path
) -> None:
    answer(opened, "ada", 0, "Opacity", Answer.WRONG_REGION, BOX)
    answer(opened, "ada", 1, "Nodule", Answer.MISSED, OUTLINE)
    answer(opened, "ada", 2, "Opacity", Answer.AGREE)
    listing = read_listing(str(tmp_path / "store"))
    first, second, third = listing.films
    assert first.places["Opacity"].boxes == (Box(*written.BOX),)
    assert second.labels == {"Nodule": 1}
    assert second.places["Nodule"].mask(64, 64)[2:12, 2:12].all()
    assert third.places == {}
    made = own_films(listing, InputRecipe(32, 32), Reading(findings=("Opacity", "Nodule")), tmp_path / "read")
    assert made.films.masks is not None
    assert made.placed == 2
    assert np.argwhere(made.films.masks.any(axis=(2, 3))).tolist() == [[0, 0], [1, 1]]


def test_a_film_that_is_gone_is_left_out(opened: OpenedStore, tmp_path: Path) -> None:
    answer(opened, "ada", 2, "Opacity", Answer.AGREE)
    answer(opened, "ada", 3, "Opacity", Answer.AGREE)
    listing = read_listing(str(tmp_path / "store"))
    made = own_films(listing, InputRecipe(32, 32), Reading(findings=("Opacity",)), tmp_path / "read")
    assert made.left_out == {"no-such-file": 1}


@pytest.mark.usefixtures("opened")
def test_a_store_that_nobody_answered_in_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no reader"):
        read_listing(str(tmp_path / "store"))
