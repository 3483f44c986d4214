"""Tiny data sets in the layouts that people have: pictures and DICOM files of noise, brighter where a finding is."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from skimage.io import imsave

from medcam.dicom import DxAttributes, save_dx

SIDE = 64
BOX = (32.0, 16.0, 24.0, 32.0)
"""x, y, width, height of what is brighter."""


def film(number: int, *, bright: bool) -> np.ndarray:
    """uint8 [64, 64], the same for the same number."""
    grey = np.random.default_rng(number).normal(90.0, 12.0, (SIDE, SIDE))
    if bright:
        x, y, width, height = (int(value) for value in BOX)
        grey[y : y + height, x : x + width] += 80.0
    return np.clip(grey, 0, 255).astype(np.uint8)


def has_it(number: int) -> bool:
    """Whether a film has the finding: every other one."""
    return number % 2 == 1


def picture(path: Path, number: int) -> None:
    """Writes a film as PNG or JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, film(number, bright=has_it(number)), check_contrast=False)


def dicom(path: Path, number: int, *, patient: str = "", view: str = "PA") -> None:
    """Writes a film as DICOM."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = film(number, bright=has_it(number)).astype(np.uint16) * 16
    about = DxAttributes(f"film {number}", window=(2048.0, 4096.0), bits_stored=12)
    save_dx(path, values, about)
    if patient or view != "PA":
        _changed(path, patient, view)


def _changed(path: Path, patient: str, view: str) -> None:
    import pydicom

    dataset = pydicom.dcmread(path)
    dataset.PatientID, dataset.ViewPosition = patient, view
    dataset.save_as(path)


def table(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Writes rows, the first of them the names of the columns; gzipped by its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with io.StringIO(newline="") as text:
        csv.writer(text).writerows(rows)
        data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_table(folder: Path, count: int) -> Path:
    """Our own: two films a patient."""
    for number in range(count):
        picture(folder / f"{number}.png", number)
    rows = [[f"{number}.png", f"p{number // 2}", int(has_it(number))] for number in range(count)]
    table(folder / "labels.csv", [["image", "patient_id", "Opacity"], *rows])
    return folder


def write_nih(folder: Path, count: int) -> Path:
    """NIH: images in numbered folders, a box for the first film that has the finding, one film that is not there."""
    rows: list[list[object]] = []
    for number in range(count):
        name = f"{number // 2:08}_{number % 2:03}.png"
        picture(folder / f"images_00{number % 3 + 1}" / "images" / name, number)
        rows.append([name, "Infiltration|Mass" if has_it(number) else "No Finding", 0, number // 2, "060Y", "M", "PA"])
    rows.append(["99999999_000.png", "Mass", 0, 99999999, "060Y", "F", "AP"])
    columns = ["Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender"]
    table(folder / "Data_Entry_2017_v2020.csv", [[*columns, "View Position"], *rows])
    scaled = [value * 1024 / SIDE for value in BOX]
    boxes = [["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]", "", "", ""]]
    table(folder / "BBox_List_2017.csv", [*boxes, ["00000000_001.png", "Infiltrate", *scaled, "", "", ""]])
    return folder


def write_chexpert(folder: Path, count: int) -> Path:
    """CheXpert: a frontal and a lateral film per patient; every third label uncertain, another not mentioned."""
    home, rows = folder / "CheXpert-v1.0-small", []
    for number in range(count):
        for view in ("frontal", "lateral"):
            path = f"train/patient{number:05}/study1/view1_{view}.jpg"
            picture(home / path, number)
            edema = "-1.0" if number % 3 == 0 else f"{float(has_it(number))}"
            opacity = "1.0" if has_it(number) else ""
            side = view.capitalize()
            rows.append([f"CheXpert-v1.0-small/{path}", "Male", 60, side, "AP", "1.0", edema, opacity])
    columns = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "No Finding", "Edema", "Lung Opacity"]
    table(home / "train.csv", [columns, *rows])
    return home


def write_mimic(folder: Path, count: int) -> Path:
    """MIMIC-CXR-JPG: labels by study, gzipped tables, a lateral view in every study."""
    labels, films = [], []
    for number in range(count):
        subject, study = f"1000000{number}"[-8:], f"5000000{number}"[-8:]
        labels.append([subject, study, float(has_it(number)), "", "-1.0"])
        for view in ("PA", "LATERAL"):
            picture(folder / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s{study}" / f"{number}-{view}.jpg", number)
            films.append([f"{number}-{view}", subject, study, view, SIDE, SIDE])
    columns = ["subject_id", "study_id", "Atelectasis", "Cardiomegaly", "Edema"]
    table(folder / "mimic-cxr-2.0.0-chexpert.csv.gz", [columns, *labels])
    columns = ["dicom_id", "subject_id", "study_id", "ViewPosition", "Rows", "Columns"]
    table(folder / "mimic-cxr-2.0.0-metadata.csv.gz", [columns, *films])
    return folder


def write_vindr(folder: Path, count: int) -> Path:
    """VinDr-CXR: three readers; all see the finding, but one of them alone sees a nodule on the first film."""
    x, y, width, height = BOX
    rows: list[list[object]] = []
    for number in range(count):
        name = f"{number:032x}"
        dicom(folder / "train" / f"{name}.dicom", number)
        corners = [x, y, x + width, y + height] if has_it(number) else [""] * 4
        seen = "Lung Opacity" if has_it(number) else "No finding"
        rows += [[name, f"R{reader}", seen, *corners] for reader in (8, 9, 10)]
    rows.append([f"{0:032x}", "R9", "Nodule/Mass", 1, 2, 9, 9])
    columns = ["image_id", "rad_id", "class_name", "x_min", "y_min", "x_max", "y_max"]
    table(folder / "annotations" / "annotations_train.csv", [columns, *rows])
    return folder


def write_rsna(folder: Path, count: int) -> Path:
    """RSNA: DICOM files, two boxes on a film that has the finding."""
    rows: list[list[object]] = []
    for number in range(count):
        name = f"{number:08x}-aaaa"
        dicom(folder / "stage_2_train_images" / f"{name}.dcm", number)
        if has_it(number):
            rows += [[name, 500, 300, 200, 300, 1], [name, 100, 300, 200, 300, 1]]
        else:
            rows.append([name, "", "", "", "", 0])
    table(folder / "stage_2_train_labels.csv", [["patientId", "x", "y", "width", "height", "Target"], *rows])
    return folder


def write_folders(folder: Path, count: int) -> Path:
    """A folder per class: DICOM files of patients with two films each, and a lateral view."""
    for number in range(count):
        home = folder / ("opacity" if has_it(number) else "No Finding")
        dicom(home / f"{number}.dcm", number, patient=f"P{number // 4}")
    dicom(folder / "opacity" / "side.dcm", 1, patient="P0", view="LL")
    (folder / "notes").mkdir()
    (folder / "notes" / "readme.txt").write_text("no film")
    return folder
