import shutil

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.core.finding import ZonesSource
from medcam.service.evaluation.cohort import Cohort
from medcam.service.phantoms.truth import read_truth


def test_truth_brings_labels_zones_and_marks(cohort_folder) -> None:
    cohort = Cohort(cohort_folder)
    films, truths = list(cohort), list(read_truth(cohort_folder).values())
    assert len(films) == len(cohort) == len(truths)
    assert cohort.labelled
    assert cohort.skipped == {}
    for film, truth in zip(films, truths, strict=True):
        assert {name for name, value in film.labels.items() if value} == set(truth.names)
        assert film.zones is not None
        assert film.zones.source is ZonesSource.PHANTOM
        written = [d.box for d in truth.distractors if d.kind in ("marker", "text")]
        assert film.marks == tuple(written)
    assert len({film.patient for film in films}) == len(truths)


def test_the_mask_of_marks_holds_every_box_and_a_margin(cohort_folder) -> None:
    film = next(film for film in Cohort(cohort_folder) if film.marks)
    mask = film.mark_mask()
    assert film.marks is not None
    for box in film.marks:
        left, top, right, bottom = (int(edge) for edge in box.corners)
        assert mask[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1].all()
    assert mask.mean() < 0.3


def test_labels_of_a_table_come_before_the_truth_and_empty_cells_are_no_labels(cohort_folder, tmp_path) -> None:
    folder = shutil.copytree(cohort_folder, tmp_path / "cohort")
    (folder / "labels.csv").write_text(
        "image,patient_id,Nodule,Mass\nphantom-00000.dcm,p,1,\nphantom-00001.dcm,p,0,1\n"
    )
    first, second = Cohort(folder)
    assert first.labels == {"Nodule": 1}
    assert second.labels == {"Nodule": 0, "Mass": 1}
    assert first.patient == second.patient == "p"
    assert first.zones is not None


def test_without_labels_marks_are_looked_for_and_what_cannot_be_read_is_named(cohort_folder, tmp_path) -> None:
    shutil.copy(cohort_folder / "phantom-00000.dcm", tmp_path)
    (tmp_path / "broken.dcm").write_bytes(b"not DICOM")
    cohort = Cohort(tmp_path)
    [film] = cohort
    assert not cohort.labelled
    assert film.labels == {}
    assert film.zones is film.marks is None
    assert film.mark_mask().shape == film.radiograph.pixels.shape
    assert cohort.skipped == {"broken.dcm": "not-dicom"}


def test_what_a_finder_finds_counts_where_marks_are_not_known(cohort_folder) -> None:
    from dataclasses import replace

    def find(pixels, padding):
        found = np.zeros(pixels.shape, dtype=bool)
        found[48, 48] = True
        return found

    known = next(iter(Cohort(cohort_folder)))
    unknown = replace(known, marks=None)
    assert unknown.mark_mask(find)[48, 48]
    assert not unknown.mark_mask()[48, 48]
    np.testing.assert_array_equal(known.mark_mask(find), known.mark_mask())


def test_the_margin_is_a_share_of_the_longer_side(cohort_folder) -> None:
    from dataclasses import replace

    from medcam.core.geometry import Box

    film = replace(next(iter(Cohort(cohort_folder))), marks=(Box(40, 30, 1, 1),))
    rows, columns = np.nonzero(film.mark_mask())
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (28, 32, 38, 42)


@pytest.mark.parametrize(("make", "code"), [(True, "empty-cohort"), (False, "no-such-source")])
def test_a_folder_with_films_is_needed(tmp_path, make, code) -> None:
    folder = tmp_path / "nothing"
    if make:
        folder.mkdir()
    with pytest.raises(UsageError) as raised:
        Cohort(folder)
    assert raised.value.code == code
