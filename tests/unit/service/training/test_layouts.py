"""Every layout that people have is told by its tables and read into films, labels, patients and places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import written_layouts as written

from medcam.core.errors import MedcamError, UsageError
from medcam.core.geometry import Box
from medcam.models.training.films import UNCERTAIN
from medcam.service.training.layouts.every import LAYOUTS, NAMES, read_listing
from medcam.service.training.layouts.listing import ListedFilm, Listing

COUNT = 6
WRITERS: dict[str, Callable[[Path, int], Path]] = {
    "table": written.write_table,
    "nih": written.write_nih,
    "chexpert": written.write_chexpert,
    "mimic-cxr-jpg": written.write_mimic,
    "vindr": written.write_vindr,
    "rsna": written.write_rsna,
    "folders": written.write_folders,
}


def named(listing: Listing, part: str) -> ListedFilm:
    [film] = [film for film in listing.films if part in film.name]
    return film


def test_every_layout_but_that_of_a_store_is_written_here() -> None:
    assert {layout.name for layout in LAYOUTS} - {"reviews"} == set(WRITERS)
    assert NAMES[0] == "auto"


@pytest.mark.parametrize("name", WRITERS)
def test_a_layout_is_told_by_its_tables(name: str, tmp_path: Path) -> None:
    source = str(WRITERS[name](tmp_path, COUNT))
    assert [layout.name for layout in LAYOUTS if layout.fits(source)] == [name]
    listing = read_listing(source)
    assert listing.layout == name
    frontal = [film for film in listing.films if not film.lateral and film.path is not None]
    assert all(film.path is not None and film.path.is_file() for film in frontal)
    assert len(frontal) == COUNT + (name == "folders")
    finding = "Lung Opacity" if "Lung Opacity" in listing.findings else listing.findings[0]
    assert sum(film.labels.get(finding) == 1 for film in frontal) == COUNT // 2 + (name == "folders")


def test_nih_has_absent_findings_patients_and_boxes(tmp_path: Path) -> None:
    listing = read_listing(str(written.write_nih(tmp_path, COUNT)))
    assert listing.findings == ("Infiltration", "Mass")
    assert named(listing, "00000000_000").labels == {"Infiltration": 0, "Mass": 0}
    boxed = named(listing, "00000000_001")
    assert (boxed.labels, boxed.patient, boxed.size) == ({"Infiltration": 1, "Mass": 1}, "0", (1024, 1024))
    assert boxed.places["Infiltration"].boxes == (Box(512, 256, 384, 512),)
    assert named(listing, "99999999").path is None


def test_chexpert_has_uncertain_labels_lateral_views_and_patients(tmp_path: Path) -> None:
    listing = read_listing(str(written.write_chexpert(tmp_path, COUNT)))
    assert listing.findings == ("Edema", "Lung Opacity")
    assert listing.reports
    first = named(listing, "patient00000/study1/view1_frontal")
    assert (first.labels, first.patient) == ({"Edema": UNCERTAIN}, "patient00000")
    assert named(listing, "patient00001/study1/view1_frontal").labels == {"Edema": 1, "Lung Opacity": 1}
    assert sum(film.lateral for film in listing.films) == COUNT


def test_mimic_joins_studies_and_films(tmp_path: Path) -> None:
    listing = read_listing(str(written.write_mimic(tmp_path, COUNT)))
    assert listing.reports
    assert named(listing, "1-PA").labels == {"Atelectasis": 1, "Edema": UNCERTAIN}
    assert named(listing, "1-PA").patient == "10000001"
    assert [film.name for film in listing.films if film.lateral] == [f"{number}-LATERAL" for number in range(COUNT)]


def test_readers_of_vindr_vote(tmp_path: Path) -> None:
    listing = read_listing(str(written.write_vindr(tmp_path, COUNT)))
    assert named(listing, f"{0:032x}").labels == {"Lung Opacity": 0, "Nodule/Mass": UNCERTAIN}
    assert named(listing, f"{0:032x}").places == {}
    second = named(listing, f"{1:032x}")
    assert second.labels == {"Lung Opacity": 1, "Nodule/Mass": 0}
    assert second.places["Lung Opacity"].boxes == (Box(*written.BOX),) * 3


def test_labels_of_vindr_by_reader_count_too(tmp_path: Path) -> None:
    written.write_vindr(tmp_path, COUNT)
    rows = [[f"{0:032x}", reader, tuberculosis, 0] for reader, tuberculosis in (("R8", 1), ("R9", 1), ("R10", 0))]
    columns = ["image_id", "rad_id", "Tuberculosis", "No finding"]
    written.table(tmp_path / "annotations" / "image_labels_train.csv", [columns, *rows])
    listing = read_listing(str(tmp_path))
    assert "Tuberculosis" in listing.findings
    assert "No finding" not in listing.findings
    assert named(listing, f"{0:032x}").labels["Tuberculosis"] == 1
    assert named(listing, f"{1:032x}").labels["Tuberculosis"] == 0


def test_rsna_has_boxes_in_published_pixels(tmp_path: Path) -> None:
    listing = read_listing(str(written.write_rsna(tmp_path, COUNT)))
    film = named(listing, "00000001")
    assert (film.labels, film.size) == ({"Lung Opacity": 1}, (1024, 1024))
    assert film.places["Lung Opacity"].boxes == (Box(500, 300, 200, 300), Box(100, 300, 200, 300))


def test_a_folder_of_normal_films_is_no_finding(tmp_path: Path) -> None:
    listing = read_listing(str(written.write_folders(tmp_path, COUNT)))
    assert listing.findings == ("opacity",)
    assert {film.labels["opacity"] for film in listing.films if film.name.startswith("No Finding")} == {0}


def test_classes_exclude_each_other(tmp_path: Path) -> None:
    for number, name in enumerate(("covid", "tb", "normal")):
        written.picture(tmp_path / name / "a.png", number)
    listing = read_listing(str(tmp_path))
    assert listing.findings == ("covid", "tb")
    assert [film.labels for film in listing.films] == [
        {"covid": 1, "tb": 0},
        {"covid": 0, "tb": 0},
        {"covid": 0, "tb": 1},
    ]


def test_a_label_of_our_own_table_may_be_uncertain(tmp_path: Path) -> None:
    rows = [["a.png", "PA", 1, -1], ["b.png", "LATERAL", 0, ""]]
    written.table(tmp_path / "labels.csv", [["image", "view", "Mass", "Nodule"], *rows])
    first, second = read_listing(str(tmp_path)).films
    assert first.labels == {"Mass": 1, "Nodule": UNCERTAIN}
    assert (second.labels, first.lateral, second.lateral) == ({"Mass": 0}, False, True)


def test_a_table_may_be_named_itself(tmp_path: Path) -> None:
    home = written.write_chexpert(tmp_path, COUNT)
    (home / "train.csv").rename(home / "part.csv")
    listing = read_listing(str(home / "part.csv"))
    assert listing.layout == "chexpert"
    assert all(film.path is not None and film.path.is_file() for film in listing.films)


@pytest.mark.parametrize(
    ("name", "table", "old", "new", "code"),
    [
        ("table", "labels.csv", ",p0,1", ",p0,2", "training-table"),
        ("chexpert", "train.csv", ",-1.0,", ",maybe,", "training-table"),
        ("vindr", "annotations/annotations_train.csv", ",32.0,", ",left,", "training-table"),
        ("vindr", "annotations/annotations_train.csv", ",32.0,", ",320.0,", "training-table"),
        ("rsna", "stage_2_train_labels.csv", ",500,", ",left,", "bad-places"),
        ("nih", "Data_Entry_2017_v2020.csv", ",060Y", "", "training-table"),
    ],
)
def test_a_broken_cell_is_refused(name: str, table: str, old: str, new: str, code: str, tmp_path: Path) -> None:
    source = WRITERS[name](tmp_path, COUNT)
    text = (source / table).read_text()
    assert old in text
    (source / table).write_text(text.replace(old, new, 1))
    with pytest.raises(MedcamError) as caught:
        # What is broken may make the table that of no layout.
        read_listing(str(source), name)
    assert caught.value.code == code


def test_what_is_no_layout_is_refused(tmp_path: Path) -> None:
    def code(source: str, name: str = "auto") -> str:
        with pytest.raises(UsageError) as caught:
            read_listing(source, name)
        return caught.value.code

    assert code(str(tmp_path / "nowhere")) == "no-such-source"
    assert code(str(tmp_path)) == "training-layout"
    assert code(str(tmp_path), "chest-hospital") == "training-layout"
    for layout in LAYOUTS:
        if layout.name != "reviews":
            assert code(str(tmp_path), layout.name) == "training-table", layout.name
    assert code(str(tmp_path), "reviews") == "no-store"
