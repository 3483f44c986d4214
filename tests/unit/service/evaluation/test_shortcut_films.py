import csv

import numpy as np
import pytest
from PIL import Image

from medcam.evaluate.shortcuts.record import Place
from medcam.service.evaluation.shortcut_films import FolderFilms
from medcam.service.evaluation.shortcuts import evaluate_shortcuts
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.phantoms.truth import read_truth


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    make_phantoms(folder, 4, seed=31, size=128, workers=1)
    return folder


def test_places_of_phantoms_are_exact_and_attributes_come_from_the_header(phantoms):
    films = list(FolderFilms(phantoms))
    truth = read_truth(phantoms)

    assert len(films) == 4
    assert any(Place.OUTSIDE in film.places for film in films)
    for film in films:
        kinds = {each.kind for each in truth[film.radiograph.identity.sop_instance_uid].distractors}
        assert film.exact
        assert (Place.MARKER in film.places) == ("marker" in kinds)
        assert Place.BORDER in film.places
        assert Place.PRINT not in film.places
        assert film.attributes["view"] in ("PA", "AP")
        assert film.attributes["sex"] in ("F", "M")
        assert 20 <= film.attributes["age"] <= 89
        assert film.attributes["burned-in annotation"] in ("YES", "NO")
        assert sum(mask.astype(int) for mask in film.places.values()).max() == 1


def test_pictures_without_truth_are_searched_and_a_table_elsewhere_says_the_rest(phantoms, tmp_path):
    source = next(iter(FolderFilms(phantoms)))
    grey = np.clip(source.radiograph.display(), 0, 255).astype(np.uint8)
    (tmp_path / "films").mkdir()
    Image.fromarray(grey).save(tmp_path / "films" / "a.png")
    with (tmp_path / "table.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "patient_id", "Effusion", "age", "sex", "view", "Burned_In_Annotation"])
        rows.writerow(["a.png", "7", "1", "061Y", "F", "AP", "NO"])
        rows.writerow(["gone.png", "8", "0", "50", "M", "PA", ""])
    films = FolderFilms(tmp_path / "films", tmp_path / "table.csv", {"Effusion": "Pleural Effusion"})

    [film] = list(films)

    assert film.labels == {"Pleural Effusion": 1}
    assert film.patient == "7"
    assert film.attributes == {"age": 61.0, "sex": "F", "view": "AP", "burned-in annotation": "NO"}
    assert not film.exact
    assert Place.DEVICE not in film.places
    assert any("detectors" in words for words in films.notes)
    assert films.skipped == {"gone.png": "undecodable"}


def test_a_folder_is_judged_from_end_to_end(phantoms):
    done = []
    record = evaluate_shortcuts("phantom", phantoms, controls=1, progress=lambda *step: done.append(step))

    assert record.films == record.exact == 4
    assert done[-1] == (4, 4)
    assert record.erasing
    # Four patients are too few for any verdict.
    assert {str(row.severity) for row in (*record.erasing, *record.associations)} == {"too few films"}
