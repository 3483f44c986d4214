"""What is truly on the films of a folder: reads `truth.json` and, when asked, the masks beside it.

Format: an object with one entry per SOP Instance UID. Needed in an entry are `findings`, a list of `{name, box {x, y,
width, height}, mask}`, and `report`; everything else may be missing or null. `mask`, `zones` and `spine` are paths of
PNG files relative to the folder. Masks are 1-bit pictures, `zones` holds the labels of `ZONE_LABELS`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from medcam.core.arrays import BoolArray
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.finding import ZonesSource
from medcam.core.geometry import Box
from medcam.core.zones import BODY_ZONES, ELSEWHERE, OUTSIDE, ZONES, Zones

TRUTH_NAME = "truth.json"
ZONE_LABELS: Mapping[str, int] = {name: number for number, name in enumerate((OUTSIDE, *BODY_ZONES, ELSEWHERE))}
"""Pixel value of each zone in `zones.png`."""
LARGEST_SIDE = 8192


class TruthError(InputError):
    """A folder's truth is missing or broken."""

    default_code = "bad-truth"
    default_next_step = "Make the folder anew with `medcam phantom make`."


@dataclass(frozen=True, slots=True)
class TrueFinding:
    """One finding that is truly on a film.

    Args:
        name: Its name.
        box: The tightest box around it, in source pixels.
        mask_path: A 1-bit PNG of the film's size; None where there is none.
        difficulty: "subtle", "moderate", "plain" or "" (not said).
        contrast_to_noise: What the difficulty was judged by; None where not said.
        side: "right", "left" (the patient's) or "".
        kind: Further description.
        parameters: Sizes in mm or ml and density factors.
    """

    name: str
    box: Box
    mask_path: Path | None = None
    difficulty: str = ""
    contrast_to_noise: float | None = None
    side: str = ""
    kind: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)

    def mask(self) -> BoolArray | None:
        """Reads the mask: bool [height, width], or None where there is none.

        Raises:
            TruthError: The file is missing or no picture.
        """
        return None if self.mask_path is None else _read_picture(self.mask_path) > 0


@dataclass(frozen=True, slots=True)
class TrueDistractor:
    """Something on a film that is no finding: its kind ("marker", "text", "button", "electrode") and its box."""

    kind: str
    box: Box


@dataclass(frozen=True, slots=True)
class FilmTruth:
    """What is true about one film.

    Args:
        sop_instance_uid: Which film.
        findings: What is there.
        report: In words.
        file_path: The DICOM file; None where not said.
        distractors: What is there without being a finding.
        zones_path: A PNG with the labels of `ZONE_LABELS`; None where there is none.
        spine_path: A 1-bit PNG; None where there is none.
    """

    sop_instance_uid: str
    findings: tuple[TrueFinding, ...]
    report: str
    file_path: Path | None = None
    distractors: tuple[TrueDistractor, ...] = ()
    zones_path: Path | None = None
    spine_path: Path | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the findings that are there."""
        return tuple(finding.name for finding in self.findings)

    def zones(self) -> Zones | None:
        """Reads the anatomical zones, exact by construction; None where there are none.

        Raises:
            TruthError: The file is missing, no picture, or has other labels.
        """
        if self.zones_path is None:
            return None
        labels = _read_picture(self.zones_path)
        try:
            masks = {name: labels == ZONE_LABELS[name] for name in ZONES}
            return Zones(masks, ZonesSource.PHANTOM, quality=1.0)
        except InvalidValueError as error:
            raise TruthError(f"{self.zones_path.name} is not a picture of zones: {error.message}") from error

    def spine(self) -> BoolArray | None:
        """Reads the spine's mask, bool [height, width]; it overlaps the zones. None where there is none.

        Raises:
            TruthError: The file is missing or no picture.
        """
        return None if self.spine_path is None else _read_picture(self.spine_path) > 0


def read_truth(folder: Path | str) -> Mapping[str, FilmTruth]:
    """Reads the truth of a folder; masks and zones stay on disk until they are asked for.

    Args:
        folder: Holds `truth.json` with everything that it names.

    Returns:
        Truth by SOP Instance UID, in the file's order.

    Raises:
        TruthError: There is no `truth.json` (code `no-truth`), or it is broken or names a file outside the folder
            (code `bad-truth`).
    """
    folder = Path(folder)
    content = _read_json(folder / TRUTH_NAME)
    films: dict[str, FilmTruth] = {}
    for number, (uid, entry) in enumerate(content.items(), start=1):
        try:
            films[uid] = _film(folder, uid, entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # The UID is not repeated: truth of other people's films may come with real ones.
            raise TruthError(f"film {number} of {TRUTH_NAME}: {_reason(error)}") from error
    return films


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidValueError):
        return error.message
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TruthError(f"{path.parent} has no {TRUTH_NAME}", code="no-truth") from error
    except (OSError, ValueError, RecursionError) as error:
        raise TruthError(f"{TRUTH_NAME} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise TruthError(f"{TRUTH_NAME} must hold an object with one entry per SOP Instance UID")
    return content


def _film(folder: Path, uid: str, entry: Mapping[str, Any]) -> FilmTruth:
    return FilmTruth(
        sop_instance_uid=uid,
        findings=tuple(_finding(folder, item) for item in entry["findings"]),
        report=_text(entry["report"], "report"),
        file_path=_inside(folder, entry.get("file")),
        distractors=tuple(
            TrueDistractor(_text(item["kind"], "kind"), _box(item["box"])) for item in entry.get("distractors") or ()
        ),
        zones_path=_inside(folder, entry.get("zones")),
        spine_path=_inside(folder, entry.get("spine")),
    )


def _finding(folder: Path, item: Mapping[str, Any]) -> TrueFinding:
    contrast = item.get("contrast_to_noise")
    parameters = item.get("parameters") or {}
    return TrueFinding(
        name=_text(item["name"], "name"),
        box=_box(item["box"]),
        mask_path=_inside(folder, item.get("mask")),
        difficulty=_text(item.get("difficulty") or "", "difficulty"),
        contrast_to_noise=None if contrast is None else float(contrast),
        side=_text(item.get("side") or "", "side"),
        kind=_text(item.get("kind") or "", "kind"),
        parameters={key: float(value) for key, value in parameters.items()},
    )


def _box(item: Mapping[str, Any]) -> Box:
    return Box(*(float(item[key]) for key in ("x", "y", "width", "height")))


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a text")
    return value


def _inside(folder: Path, relative: object) -> Path | None:
    """The path of a file in the folder; links that lead out of it are refused too."""
    if relative is None:
        return None
    path = folder / _text(relative, "a path")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError("a path leads out of the folder")
    return path


def _read_picture(path: Path) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(path) as picture:
            if picture.mode not in ("1", "L", "P") or max(picture.size) > LARGEST_SIDE:
                raise TruthError(f"{path.name} is not a mask: {picture.mode}, {picture.size[0]} x {picture.size[1]}")
            return np.asarray(picture).astype(np.uint8)
    except FileNotFoundError as error:
        raise TruthError(f"{path.name} is missing") from error
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise TruthError(f"{path.name} cannot be read as a picture") from error
