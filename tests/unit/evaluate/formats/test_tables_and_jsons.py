"""Each format is read as its publisher means it, and what is written is read again."""

import json

import numpy as np
import pytest

from medcam.core.geometry import Box
from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.jsons import read_json, write_chexlocalize, write_coco
from medcam.evaluate.formats.places import Place, PlacedFilm, filled
from medcam.evaluate.formats.runs import Runs
from medcam.evaluate.formats.tables import read_table, write_boxes, write_nih, write_rsna, write_siim


@pytest.fixture
def films():
    mask = np.zeros((1024, 1024), dtype=bool)
    mask[100:300, 50:90] = True
    mask[500:510, 700:900] = True
    place = Place(runs=(Runs.of(mask),))
    return [
        PlacedFilm("patient1_a", {"Lung Opacity": place, "Pneumothorax": place}, 1024, 1024, "patient1"),
        PlacedFilm("patient2_a", {"Lung Opacity": Place(), "Pneumothorax": Place()}, 1024, 1024, "patient2"),
    ]


def test_nihs_list_is_read_with_its_stray_brackets(tmp_path):
    path = tmp_path / "BBox_List_2017.csv"
    path.write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00013118_008.png,Atelectasis,225.0,547.0,86.7,79.1,,,\n"
    )

    name, [film] = read_table(path)

    assert (name, film.image, film.patient, film.height) == ("nih", "00013118_008.png", "00013118", 1024)
    assert film.places["Atelectasis"].boxes == (Box(225.0, 547.0, 86.7, 79.1),)


def test_rsna_has_several_boxes_a_film_and_negatives(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("patientId,x,y,width,height,Target\na,1,2,3,4,1\na,10,20,30,40,1\nb,,,,,0\n")

    _, films = read_table(path)

    assert [len(film.places["Lung Opacity"].boxes) for film in films] == [2, 0]
    assert not films[1].places["Lung Opacity"].said


def test_siim_joins_the_rows_of_a_film(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("ImageId, EncodedPixels\n1.2.3, 0 5\n1.2.3, 2048 5\n1.2.4, -1\n")

    _, films = read_table(path)

    mask = films[0].places["Pneumothorax"].mask(1024, 1024)
    assert np.argwhere(mask).tolist() == sorted([[row, column] for column in (0, 2) for row in range(5)])
    assert not films[1].places["Pneumothorax"].said


@pytest.mark.parametrize(
    ("write", "read", "exact"),
    [
        (write_boxes, read_table, False),
        (write_nih, read_table, False),
        (write_rsna, read_table, False),
        (write_siim, read_table, True),
        (write_coco, read_json, True),
        (lambda path, films: write_chexlocalize(path, films, ("Lung Opacity", "Pneumothorax")), read_json, True),
    ],
)
def test_what_is_written_is_read_again(films, tmp_path, write, read, exact):
    write(tmp_path / "file", films)
    _, again = read(tmp_path / "file")

    for film in again:
        before = next(one for one in films if one.image == film.image)
        for finding, place in film.places.items():
            true = before.places[finding].mask(1024, 1024)
            if true.any() and not exact:
                rows, columns = np.flatnonzero(true.any(axis=1)), np.flatnonzero(true.any(axis=0))
                true[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
            assert np.array_equal(place.mask(1024, 1024), true)
            assert place.said == true.any()


def test_outlines_are_filled_where_pixel_centres_lie_inside(tmp_path):
    path = tmp_path / "gt_annotations_val.json"
    outline = [[1.0, 1.0], [9.0, 2.0], [6.0, 8.0], [2.0, 7.0]]
    path.write_text(json.dumps({"patient7_study1": {"img_size": [10, 12], "Edema": [outline]}}))

    name, [film] = read_json(path)
    mask = film.places["Edema"].mask(10, 12)

    def inside(x, y):
        sides = [
            (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            for (ax, ay), (bx, by) in zip(outline, outline[1:] + outline[:1], strict=True)
        ]
        return all(side > 0 for side in sides)

    naive = [[inside(column + 0.5, row + 0.5) for column in range(12)] for row in range(10)]
    assert (name, film.patient) == ("chexlocalize-outlines", "patient7")
    assert np.array_equal(mask, naive)


def test_a_concave_outline_keeps_its_hollow():
    mask = filled(np.array([[0, 0], [9, 0], [9, 9], [6, 9], [6, 3], [3, 3], [3, 9], [0, 9]]), 9, 9)

    assert not mask[3:, 3:6].any()
    assert mask.sum() == 81 - 18


def test_coco_boxes_and_polygons(tmp_path):
    path = tmp_path / "coco.json"
    content = {
        "images": [{"id": 4, "file_name": "a.png", "height": 20, "width": 30}],
        "categories": [{"id": 2, "name": "Mass"}, {"id": 3, "name": "Nodule"}],
        "annotations": [
            {"image_id": 4, "category_id": 2, "bbox": [3, 4, 5, 6], "score": 0.5},
            {"image_id": 4, "category_id": 2, "segmentation": [[20, 10, 25, 10, 25, 15, 20, 15]]},
        ],
    }
    path.write_text(json.dumps(content))

    _, [film] = read_json(path)
    mask = film.places["Mass"].mask(20, 30)

    assert mask.sum() == 55
    assert mask[4:10, 3:8].all()
    assert film.places["Mass"].score == 0.5
    assert not film.places["Nodule"].said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "patientId,x,y,width,height,Target\na,1,2,3,x,1\n",
        "patientId,x,y,width,height,Target\na,1,2,-3,4,1\n",
        "image,finding,x,y,width,height\n,Mass,1,2,3,4\n",
        "image,finding,x,y,width,height\na,Mass,nan,2,3,4\n",
        "image,finding,x,y,width,height\na,Mass,1,2,,4\n",
    ],
)
def test_broken_tables_are_refused_by_row(tmp_path, text):
    (tmp_path / "table.csv").write_text(text)

    with pytest.raises(PlacesError, match=r"table\.csv"):
        read_table(tmp_path / "table.csv")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"a": 3}', '{"a": {"b": {"size": [2, 2], "counts": "zz"}}}'])
def test_broken_json_is_refused(tmp_path, content):
    (tmp_path / "file.json").write_text(content)

    with pytest.raises(PlacesError, match=r"file\.json"):
        read_json(tmp_path / "file.json")


def test_lesions_are_boxes_or_connected_parts(films):
    place = films[0].places["Pneumothorax"]
    mask = place.mask(1024, 1024)
    parts = place.lesions(mask)
    boxes = Place((Box(0, 0, 10, 10), Box(5, 5, 10, 10))).lesions(np.zeros((20, 20), dtype=bool))

    assert parts.count == 2
    assert (parts.at(100, 50), parts.at(505, 800), parts.at(0, 0)) == ((0,), (1,), ())
    assert (boxes.count, boxes.at(7, 7), boxes.at(14, 14)) == (2, (0, 1), (1,))
