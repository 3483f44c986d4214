"""The training set in memory: prepared films, image-level labels, patients and matched pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError, UsageError

UNKNOWN = -1
"""Label of a finding that nobody judged on a film: it adds nothing to any loss or figure."""
UNCERTAIN = -2
"""Label of a finding that whoever judged was not sure of: as unknown, until somebody decides what it counts as."""


@dataclass(frozen=True, eq=False)
class Films:
    """Films prepared for a model, with image-level labels.

    Args:
        names: Findings, in the order of the labels' columns.
        images: float16 [n, height, width], in model-input space (see `medcam.models.preprocess`).
        labels: int8 [n, findings]: 1 present, 0 absent, -1 unknown, -2 uncertain.
        patients: int64 [n]: films of one patient share a number and never straddle a split.
        partners: int64 [n]: index of the same patient's film without one of the findings; -1 where there is none.
        masks: bool [n, findings, h, w] on a coarser grid, where the truth is known: to measure and to calibrate region
            rules. No loss uses them but those of dense (`Objective.masks`) and mixed supervision (`Objective.boxes`),
            which are off by default.
        grades: uint8 [n, findings]: 0 absent or not graded, 1 subtle, 2 moderate, 3 plain.
    """

    names: tuple[str, ...]
    images: npt.NDArray[np.float16] = field(repr=False)
    labels: npt.NDArray[np.int8] = field(repr=False)
    patients: npt.NDArray[np.int64] = field(repr=False)
    partners: npt.NDArray[np.int64] = field(repr=False)
    masks: npt.NDArray[np.bool_] | None = field(default=None, repr=False)
    grades: npt.NDArray[np.uint8] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        count = len(self.images)
        if self.images.ndim != 3 or self.labels.shape != (count, len(self.names)):
            raise InvalidValueError("images must be [n, height, width] and labels [n, findings]")
        if len(self.patients) != count or len(self.partners) != count:
            raise InvalidValueError("every film needs a patient and a partner entry")

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, index: npt.NDArray[np.int64]) -> Films:
        """The films of an index, with partners renumbered (-1 where the partner was left behind)."""
        position = np.full(len(self) + 1, -1, dtype=np.int64)
        position[index] = np.arange(len(index))
        return replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            patients=self.patients[index],
            partners=position[self.partners[index]],
            masks=None if self.masks is None else self.masks[index],
            grades=None if self.grades is None else self.grades[index],
        )

    def split(self, fraction: float, seed: int) -> tuple[Films, Films]:
        """Splits by patient into (rest, held back), the latter with about `fraction` of the patients.

        Raises:
            UsageError: There are too few patients to split.
        """
        patients = np.unique(self.patients)
        held = round(fraction * len(patients))
        if not 0 < held < len(patients):
            raise UsageError(
                f"the films are of {len(patients)} patients, too few to split (share held back: {fraction:.2f})",
                next_step="Give films of more patients; if the files name no patient, or the same for all of them, "
                "--patient-pattern finds the patient in a film's name.",
            )
        chosen = np.random.default_rng(seed).permutation(patients)[:held]
        inside = np.isin(self.patients, chosen)
        return self.subset(np.flatnonzero(~inside)), self.subset(np.flatnonzero(inside))

    def save(self, folder: Path) -> None:
        """Writes the films to a folder of .npy files; `films.json` comes last and marks it complete."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("images", "labels", "patients", "partners"):
            np.save(folder / f"{name}.npy", getattr(self, name))
        if self.masks is not None:
            np.save(folder / "masks.npy", np.packbits(self.masks, axis=-1))
        if self.grades is not None:
            np.save(folder / "grades.npy", self.grades)
        width = 0 if self.masks is None else self.masks.shape[-1]
        (folder / "films.json").write_text(json.dumps({"names": self.names, "mask_width": width}))

    @classmethod
    def load(cls, folder: Path) -> Films:
        """Reads what `save` wrote.

        Raises:
            UsageError: The folder holds no complete set.
        """
        listing = folder / "films.json"
        if not listing.is_file():
            raise UsageError(f"{folder} holds no prepared films", next_step="Prepare them again.")
        about = json.loads(listing.read_text())
        arrays = {name: np.load(folder / f"{name}.npy") for name in ("images", "labels", "patients", "partners")}
        optional: dict[str, npt.NDArray[Any]] = {}
        if (folder / "masks.npy").is_file():
            packed = np.load(folder / "masks.npy")
            optional["masks"] = np.unpackbits(packed, axis=-1, count=about["mask_width"]).astype(np.bool_)
        if (folder / "grades.npy").is_file():
            optional["grades"] = np.load(folder / "grades.npy")
        return cls(names=tuple(about["names"]), **arrays, **optional)


def concatenate(parts: Sequence[Films]) -> Films:
    """Joins sets of the same findings and size, renumbering partners."""
    first = parts[0]
    if any(part.names != first.names or part.images.shape[1:] != first.images.shape[1:] for part in parts):
        raise InvalidValueError("only sets of the same findings and size can be joined")
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    partners = [np.where(p.partners >= 0, p.partners + s, -1) for p, s in zip(parts, starts, strict=True)]
    masks = [part.masks for part in parts if part.masks is not None]
    grades = [part.grades for part in parts if part.grades is not None]
    return Films(
        names=first.names,
        images=np.concatenate([part.images for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        patients=np.concatenate([part.patients for part in parts]),
        partners=np.concatenate(partners),
        masks=np.concatenate(masks) if len(masks) == len(parts) else None,
        grades=np.concatenate(grades) if len(grades) == len(parts) else None,
    )
