"""True places as they are read from folders of masks and from tables: names, refusals, and real boxes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from medcam.core.errors import UsageError
from medcam.evaluate.formats.errors import PlacesError
from medcam.service.evaluation.localisation import Plan, evaluate_localisation
from medcam.service.evaluation.shown_files import PlacedFiles
from medcam.service.evaluation.true_places import Id, key_of, read_places

HALF = Plan(rule="0.5")


def test_masks_in_folders(tmp_path):
    for finding, white in (("Mass", True), ("Nodule", False)):
        (tmp_path / finding).mkdir()
        pixels = np.zeros((10, 12), dtype=np.uint8)
        pixels[2:4, 3:6] = 255 * white
        Image.fromarray(pixels).save(tmp_path / finding / "a.png")

    truth = read_places(tmp_path)
    film = truth.films["a"]

    assert (truth.format, film.height, film.width) == ("masks", 10, 12)
    assert film.places["Mass"].mask(10, 12).sum() == 6
    assert not film.places["Nodule"].said
    shown = PlacedFiles(tmp_path)
    assert evaluate_localisation(truth, shown, HALF).findings["Mass"].iou.value == 1.0


def test_names_of_films():
    assert key_of("images_1024/00000061_012.png", Id.FILE_NAME) == "00000061_012"
    assert key_of("patient1/study2/view1_frontal.jpg", Id.PATH) == "patient1_study2_view1_frontal"
    assert key_of("1.2.840.1", Id.FILE_NAME) == "1.2.840.1"


def test_broken_truth_and_plans_are_refused(tmp_path):
    (tmp_path / "Mass").mkdir()
    with pytest.raises(PlacesError):
        read_places(tmp_path)
    (tmp_path / "Mass" / "a.png").write_bytes(b"x")
    with pytest.raises(PlacesError):
        read_places(tmp_path)
    with pytest.raises(UsageError):
        read_places(tmp_path / "none.csv")
    (tmp_path / "twice.csv").write_text("image,finding,x,y,width,height\na/1.png,M,1,1,2,2\nb/1.png,M,1,1,2,2\n")
    with pytest.raises(UsageError):
        read_places(tmp_path / "twice.csv")
    for wrong in ({"rule": "best"}, {"rule": "1.5"}, {"sizes": (0.2, 0.1)}, {"tune_share": 1.0}):
        with pytest.raises(UsageError):
            Plan(**wrong)


def test_real_boxes_are_read(shared_data):
    truth = read_places(shared_data / "radiographs" / "boxes" / "boxes.csv")

    assert len(truth.films) == 107
    assert sum(len(place.boxes) for film in truth.films.values() for place in film.places.values()) == 172
    assert all(film.places[name].mask(1024, 1024).any() for film in truth.films.values() for name in film.places)
