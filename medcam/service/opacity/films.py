"""NIH ChestX-ray14 films with labels from reports, and what readers said of some of them, which only measures."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medcam.core.errors import UsageError
from medcam.core.geometry import Box

UNREAD = -1
OPACITY = "Lung Opacity"
NOTHING = "No Finding"


@dataclass(frozen=True, eq=False)
class OpacityFilms:
    """Films and their tables, a row each.

    Args:
        paths: Pictures.
        patients: int64 [n].
        views: "AP" or "PA", [n].
        labels: int8 [n], from reports: 0 for "No Finding", 1 for any other.
        readings: int8 [n], from readers: 1 lung opacity, 0 none, -1 not read. Never used but to measure.
        boxes: Readers' boxes of lung opacity by row, in shares of the film's sides. Never used but to measure.
        other_boxes: Those of NIH's own readers, to see how far readers agree.
    """

    paths: tuple[Path, ...] = field(repr=False)
    patients: npt.NDArray[np.int64] = field(repr=False)
    views: npt.NDArray[np.str_] = field(repr=False)
    labels: npt.NDArray[np.int8] = field(repr=False)
    readings: npt.NDArray[np.int8] = field(repr=False)
    boxes: dict[int, tuple[Box, ...]] = field(repr=False)
    other_boxes: dict[int, tuple[Box, ...]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def read(self) -> npt.NDArray[np.int64]:
        """Rows that readers read."""
        return np.flatnonzero(self.readings != UNREAD)

    @property
    def strata(self) -> npt.NDArray[np.str_]:
        """View and a third of the patients' numbers, which rise with the years: neither may tell the label."""
        edges = np.quantile(self.patients[self.labels == 0], [1 / 3, 2 / 3])
        latest = self.patients[self.labels == 0].max()
        era = np.searchsorted([*edges, latest], self.patients)
        return np.array([f"{view}{number}" for view, number in zip(self.views, era, strict=True)])

    def folds(self, count: int, seed: int) -> npt.NDArray[np.int64]:
        """A number below `count` for every film, the same for all films of a patient."""
        numbers, where = np.unique(self.patients, return_inverse=True)
        return np.asarray(np.random.default_rng([seed, count]).permutation(len(numbers))[where] % count, np.int64)

    def first(self, count: int) -> OpacityFilms:
        """So many films, evenly from those of every reading and label."""
        order = np.lexsort((self.labels, self.readings))
        rows = np.sort(order[np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.int64))])
        return OpacityFilms(
            tuple(self.paths[row] for row in rows),
            self.patients[rows],
            self.views[rows],
            self.labels[rows],
            self.readings[rows],
            *(
                {new: boxes[old] for new, old in enumerate(rows.tolist()) if old in boxes}
                for boxes in (self.boxes, self.other_boxes)
            ),
        )


def opacity_films(folder: Path) -> OpacityFilms:
    """Reads `nih/labels.csv`, `nih/readings.csv` and `boxes/boxes.csv` below a folder.

    Args:
        folder: With NIH films and labels (`image, patient_id, view, nih_labels`), the classes of the RSNA challenge's
            readers (`image, rsna_class`) and their boxes (`image, finding, x, y, width, height, image_width,
            image_height, source`).

    Raises:
        UsageError: A table is missing or lacks a column (code `training-table`).
    """
    try:
        rows = _table(folder / "nih" / "labels.csv")
        place = {Path(row["image"]).stem: number for number, row in enumerate(rows)}
        readings = np.full(len(rows), UNREAD, np.int8)
        for row in _table(folder / "nih" / "readings.csv"):
            readings[place[Path(row["image"]).stem]] = row["rsna_class"] == OPACITY
        boxes: dict[int, tuple[Box, ...]] = {}
        others: dict[int, tuple[Box, ...]] = {}
        for row in _table(folder / "boxes" / "boxes.csv"):
            kept = boxes if row["finding"] == OPACITY else others
            number = place[Path(row["image"]).stem]
            kept[number] = (*kept.get(number, ()), _share(row))
        return OpacityFilms(
            tuple(folder / "nih" / row["image"] for row in rows),
            np.array([int(row["patient_id"]) for row in rows], dtype=np.int64),
            np.array([row["view"] for row in rows]),
            np.array([row["nih_labels"] != NOTHING for row in rows], dtype=np.int8),
            readings,
            boxes,
            others,
        )
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(
            f"{folder.name} holds no films with NIH labels and RSNA readings",
            code="training-table",
            next_step="It needs nih/labels.csv, nih/readings.csv and boxes/boxes.csv; see docs/experiments.",
        ) from error


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _share(row: dict[str, str]) -> Box:
    width, height = float(row["image_width"]), float(row["image_height"])
    return Box(
        float(row["x"]) / width, float(row["y"]) / height, float(row["width"]) / width, float(row["height"]) / height
    )
