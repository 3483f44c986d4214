"""One's own films: a table of labels beside DICOM, PNG and JPEG files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

from medcam.core.errors import InputError, UsageError
from medcam.dicom import DxAttributes, save_dx
from medcam.models.training.films import UNKNOWN, Films
from medcam.phantom import render, sample_case
from medcam.service.training.folder_films import folder_films

SIDE = 32
TOP = 2**12 - 1


@pytest.fixture(scope="module")
def linear() -> np.ndarray:
    """A phantom, 0 to 1, denser brighter."""
    return render(sample_case(3, 0), 96, truth=False).linear


def table(folder: Path, rows: Sequence[Sequence[object]], *, encoding: str = "utf-8") -> Path:
    """Writes labels.csv, its first row the names of the columns."""
    with (folder / "labels.csv").open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)
    return folder


def png(folder: Path, name: str, pixels: np.ndarray | None = None) -> str:
    grey = np.random.default_rng(len(name)).integers(0, 255, (20, 24)).astype(np.uint8) if pixels is None else pixels
    imsave(folder / name, grey, check_contrast=False)
    return name


def dicom(folder: Path, name: str, linear: np.ndarray, *, inverse: bool = False) -> str:
    stored = np.rint(linear * TOP).astype(np.uint16)
    values = (TOP - stored).astype(np.uint16) if inverse else stored
    save_dx(folder / name, values, DxAttributes(name, window=(2048.0, 4096.0), bits_stored=12, inverse=inverse))
    return name


def refused(folder: Path, findings: Sequence[str] = ()) -> str:
    """The code with which a folder's table is refused."""
    with pytest.raises(UsageError) as caught:
        folder_films(folder, SIDE, findings=findings)
    return caught.value.code


def test_every_format_gives_the_same_film(tmp_path: Path, linear: np.ndarray) -> None:
    byte = np.rint(linear * 255).astype(np.uint8)
    names = [
        dicom(tmp_path, "plain.dcm", linear),
        dicom(tmp_path, "inverse.DCM", linear, inverse=True),
        dicom(tmp_path, "no-suffix", linear),
        png(tmp_path, "8-bit.png", byte),
        png(tmp_path, "16-bit.png", np.rint(linear * 65535).astype(np.uint16)),
        png(tmp_path, "colour.png", np.repeat(byte[:, :, None], 3, axis=2)),
        png(tmp_path, "opaque.png", np.dstack([byte, byte, byte, np.full_like(byte, 255)])),
        png(tmp_path, "photo.jpg", byte),
    ]
    films = folder_films(table(tmp_path, [["image", "Nodule"], *([name, 1] for name in names)]), SIDE)
    assert films.images.shape == (8, SIDE, SIDE)
    assert films.images.dtype == np.float16
    for name, image in zip(names, films.images.astype(np.float32), strict=True):
        np.testing.assert_allclose(image, films.images[0], atol=0.1 if name == "photo.jpg" else 0.03, err_msg=name)
    assert films.images[0].astype(np.float32).std() == pytest.approx(1.0, abs=0.02)


def test_labels_are_one_nought_or_unknown(tmp_path: Path) -> None:
    image = png(tmp_path, "a.png")
    rows = [["image", "Nodule", "Mass"], [image, 1, 0], [image, "", "-1"], [image, "1.0", "0.0"], [image, "-1.0", 1]]
    films = folder_films(table(tmp_path, rows), SIDE)
    assert films.names == ("Nodule", "Mass")
    assert films.labels.dtype == np.int8
    assert films.labels.tolist() == [[1, 0], [UNKNOWN, UNKNOWN], [1, 0], [UNKNOWN, 1]]
    assert films.masks is None
    assert films.partners.tolist() == [-1] * 4


def test_columns_that_are_no_labels_are_left_out_or_chosen_by_name(tmp_path: Path) -> None:
    image = png(tmp_path, "a.png")
    rows = [
        ["sex", "image", "Nodule", "age", "Mass", "patient_id"],
        ["F", image, 1, 63, "", 4],
        ["M", image, 0, 1, 1, 5],
    ]
    table(tmp_path, rows)
    assert folder_films(tmp_path, SIDE).names == ("Nodule", "Mass")
    chosen = folder_films(tmp_path, SIDE, findings=["Mass", "Nodule"])
    assert chosen.names == ("Mass", "Nodule")
    assert chosen.labels.tolist() == [[UNKNOWN, 1], [1, 0]]
    assert refused(tmp_path, ["age"]) == "training-table"
    assert refused(tmp_path, ["Nodule", "Unheard of"]) == "training-table"


def test_progress_counts_the_films(tmp_path: Path) -> None:
    image = png(tmp_path, "a.png")
    seen: list[tuple[int, int]] = []
    folder = table(tmp_path, [["image", "Nodule"], *([image, 1] for _ in range(3))])
    folder_films(folder, SIDE, progress=lambda done, count: seen.append((done, count)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def people(tmp_path: Path, rows: list[list[object]]) -> Films:
    image = png(tmp_path, "a.png")
    other = png(tmp_path, "other.png")
    return folder_films(
        table(tmp_path, [["image", "patient_id", "Nodule"], *([image, *r] for r in rows), [other, "", 1]]), SIDE
    )


def test_a_patient_has_one_number_and_a_film_without_one_is_a_patient(tmp_path: Path) -> None:
    patients = people(tmp_path, [["p1", 1], ["p2", 0], ["p1", 0], ["", 1], ["p2", 1]]).patients.tolist()
    assert patients[0] == patients[2] != patients[1] == patients[4]
    assert len({*patients}) == 4
    assert patients[0] == 1060662067, "the same in every run and process"


@pytest.mark.parametrize("seed", range(4))
def test_patients_are_never_split(tmp_path: Path, seed: int) -> None:
    films = people(tmp_path, [[f"p{number % 7}", number % 2] for number in range(30)])
    rest, held = films.split(0.3, seed)
    assert not set(rest.patients) & set(held.patients)
    assert sorted([*rest.patients, *held.patients]) == sorted(films.patients)
    assert len(held) > 0


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["image", "Nodule"]],
        [["file", "Nodule"], ["a.png", 1]],
        [["image"], ["a.png"]],
        [["image", "patient_id"], ["a.png", "p1"]],
        [["image", "Nodule"], ["a.png", "yes"]],
        [["image", "Nodule"], ["a.png", "2"]],
        [["image", "Nodule"], ["a.png", 1], ["a.png"]],
        [["image", "Nodule"], ["a.png", 1], ["a.png", 1, 0]],
        [["image", "Nodule"], ["a.png", 1, 0], ["a.png", 1]],
        [["Nodule", "image"], [1, "a.png"], [1]],
        [["image", "Nodule", "Nodule"], ["a.png", 1, 0]],
        [["image", "Nodule"], ["", 1]],
    ],
)
def test_a_malformed_table_is_refused(tmp_path: Path, rows: list[list[object]]) -> None:
    png(tmp_path, "a.png")
    assert refused(table(tmp_path, rows)) == "training-table"


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xff\xfe\x00bad", b"\x00\x00\x00", b"image,Nodule\na.png,\xe9\n"])
def test_a_table_that_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    png(tmp_path, "a.png")
    (tmp_path / "labels.csv").write_bytes(data)
    assert refused(tmp_path) == "training-table"


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == "training-table"
    assert refused(tmp_path / "nowhere") == "training-table"
    (tmp_path / "labels.csv").mkdir()
    assert refused(tmp_path) == "training-table"


def test_a_table_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    """Spreadsheets put a byte order mark before the first column's name."""
    folder = table(tmp_path, [["image", "Nodule"], [png(tmp_path, "a.png"), 1]], encoding="utf-8-sig")
    assert folder_films(folder, SIDE).labels.tolist() == [[1]]


def test_names_beyond_ascii_are_read(tmp_path: Path) -> None:
    films = folder_films(table(tmp_path, [["image", "Höhe"], [png(tmp_path, "für.png"), 1]]), SIDE)
    assert films.names == ("Höhe",)


@pytest.mark.parametrize(
    "name", ["missing.png", "missing.dcm", "text.png", "text.dcm", "text", "cut.png", "cut.jpg", "."]
)
def test_a_film_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text("no picture")
    for suffix in ("png", "dcm"):
        (tmp_path / f"text.{suffix}").write_text("no picture")
    for suffix in ("png", "jpg"):
        whole = png(tmp_path, f"whole.{suffix}", np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8))
        data = (tmp_path / whole).read_bytes()
        (tmp_path / f"cut.{suffix}").write_bytes(data[: len(data) // 3])
    with pytest.raises(InputError) as caught:
        folder_films(table(tmp_path, [["image", "Nodule"], [name, 1]]), SIDE)
    assert caught.value.code
    assert caught.value.next_step


def test_a_picture_that_is_no_film_is_named(tmp_path: Path) -> None:
    imsave(tmp_path / "stack.tif", np.zeros((5, 8, 9), dtype=np.uint8), check_contrast=False)
    with pytest.raises(InputError):
        folder_films(table(tmp_path, [["image", "Nodule"], ["stack.tif", 1]]), SIDE)
