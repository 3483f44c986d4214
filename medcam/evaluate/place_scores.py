"""One film, one finding: how well what a model shows agrees with where the finding truly is.

Definitions follow CheXlocalize (Saporta et al. 2022), so that figures can be compared: masks of the film's full size; a
hit is a peak that lies in the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.arrays import BoolArray
from medcam.core.errors import InvalidValueError
from medcam.evaluate.formats.places import Lesions, Place
from medcam.evaluate.heat import Shown, Surface, otsu

STEPS = 1000
"""Levels on which a map is ordered for its precision-recall curve."""
FRACTIONS = tuple(round(0.05 * step, 2) for step in range(20))
"""Thresholds that are tried, as shares of a map's highest value."""
_EIGHT = np.ones((3, 3))


@dataclass(frozen=True, slots=True)
class Cut:
    """How a map becomes a region.

    Args:
        name: Of the rule.
        fraction: Share of the map's strength that must be exceeded; None for a threshold of the rule's own.
        largest: Whether only the largest 8-connected part is kept.
    """

    name: str
    fraction: float | None = None
    largest: bool = False


OTSU = Cut("otsu")
PAPER = Cut("paper", 0.2, largest=True)
OWN = Cut("model")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A part of a region, as one answer to "where is it?".

    Args:
        score: How sure: the map's value at the part's peak, or what the source says.
        lesions: Numbers of the true places that hold the part's point; empty for a false alarm.
    """

    score: float
    lesions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlaceScore:
    """One film and one finding.

    Args:
        film: The film.
        patient: Its patient.
        pixels: Of the film.
        true: Pixels of the truth; 0 where the finding is absent.
        found: Pixels of the region.
        common: Pixels of both.
        box: Pixels of the boxes around the region's parts.
        box_common: Pixels of those boxes and of the truth.
        lesions: True places.
        hit: Whether the peak lies in the truth; None where the finding is absent or nothing is shown.
        average_precision: Area under the precision-recall curve of the map's pixels; None without map or truth.
        candidates: Parts of the region.
        probability: What the model says; None where that is not known.
    """

    film: str
    patient: str
    pixels: int
    true: int
    found: int
    common: int
    box: int
    box_common: int
    lesions: int
    hit: bool | None
    average_precision: float | None
    candidates: tuple[Candidate, ...]
    probability: float | None = None

    @property
    def iou(self) -> float | None:
        """Intersection over union; None where there is neither truth nor region."""
        union = self.true + self.found - self.common
        return self.common / union if union else None

    @property
    def dice(self) -> float | None:
        """Twice the intersection over the sum of both; None where there is neither truth nor region."""
        both = self.true + self.found
        return 2 * self.common / both if both else None

    @property
    def iobb(self) -> float | None:
        """Intersection over the boxes around the region (Wang et al. 2017); 0 without a region, None without truth."""
        if not self.true:
            return None
        return self.box_common / self.box if self.box else 0.0

    @property
    def share(self) -> float:
        """Share of the film that the truth covers."""
        return self.true / self.pixels


def score_place(
    film: str, patient: str, truth: Place, shown: Shown | None, size: tuple[int, int], cut: Cut, *, silent: bool = False
) -> PlaceScore:
    """Compares what a model shows of a finding on a film with the truth.

    Args:
        film: The film's name.
        patient: Its patient.
        truth: Where the finding is; a place without parts where it is absent.
        shown: What the model shows; None for nothing at all.
        size: Height and width of the masks.
        cut: How a map becomes a region.
        silent: Whether a finding that the model calls absent has no region, and so no candidate and no hit.

    Raises:
        PlacesError: A mask has another size.
    """
    true = truth.mask(*size)
    lesions = truth.lesions(true)
    surface = shown.heat.over(*size) if shown is not None and shown.heat is not None else None
    quiet = shown is None or (silent and shown.present is False)
    region = np.zeros(size, dtype=np.bool_) if quiet or shown is None else _region(shown, surface, size, cut)
    parts = _parts(region, shown, surface, lesions)
    boxes = _boxes(region)
    hit = None
    if true.any():
        peak = None if quiet or shown is None else _peak(region, surface)
        hit = None if peak is None and shown is None else bool(peak is not None and true[peak])
    return PlaceScore(
        film=film,
        patient=patient,
        pixels=true.size,
        true=int(true.sum()),
        found=int(region.sum()),
        common=int((region & true).sum()),
        box=int(boxes.sum()),
        box_common=int((boxes & true).sum()),
        lesions=lesions.count if true.any() else 0,
        hit=hit,
        average_precision=average_precision(surface, true) if surface is not None and true.any() else None,
        candidates=parts,
        probability=None if shown is None else shown.probability,
    )


def average_precision(surface: Surface, true: BoolArray) -> float:
    """Area under the precision-recall curve of a map's pixels (average precision), over `STEPS` levels of the map.

    Raises:
        InvalidValueError: No pixel is true.
    """
    if not true.any():
        raise InvalidValueError("a precision-recall curve needs a true pixel")
    levels = surface.order(STEPS)
    every = np.bincount(levels.ravel(), minlength=STEPS)[::-1].cumsum()
    right = np.bincount(levels[true], minlength=STEPS)[::-1].cumsum()
    gained = np.diff(right, prepend=0)
    return float((gained * right / np.maximum(every, 1)).sum() / right[-1])


def iou_by_fraction(surface: Surface, true: BoolArray) -> npt.NDArray[np.float64]:
    """IoU at each of `FRACTIONS`: float64 [fractions]; nan where there is neither region nor truth."""
    strength = surface.strength()
    above = np.searchsorted(FRACTIONS, strength.ravel().astype(np.float64), side="left")
    found = np.bincount(above, minlength=len(FRACTIONS) + 1)[::-1].cumsum()[::-1][1:]
    common = np.bincount(above[true.ravel()], minlength=len(FRACTIONS) + 1)[::-1].cumsum()[::-1][1:]
    union = found + int(true.sum()) - common
    return np.asarray(np.where(union > 0, common / np.maximum(union, 1), np.nan), dtype=np.float64)


def _region(shown: Shown, surface: Surface | None, size: tuple[int, int], cut: Cut) -> BoolArray:
    if surface is None:
        return shown.place.mask(*size) if shown.place is not None else np.zeros(size, dtype=np.bool_)
    if cut is OWN and shown.region is not None:
        return shown.region(*size)
    strength = surface.strength()
    fraction = cut.fraction if cut.fraction is not None else otsu(strength)
    region = strength.astype(np.float64) > fraction
    return _largest(region) if cut.largest else region


def _largest(region: BoolArray) -> BoolArray:
    labels, count = ndimage.label(region, structure=_EIGHT)
    if count < 2:
        return region
    return np.asarray(labels == 1 + int(np.bincount(labels.ravel())[1:].argmax()), dtype=np.bool_)


def _peak(region: BoolArray, surface: Surface | None) -> tuple[int, int] | None:
    """The map's highest point; without a map, the middle of the largest part."""
    if surface is not None:
        return surface.peak
    return _middle(_largest(region)) if region.any() else None


def _middle(part: BoolArray) -> tuple[int, int]:
    """The pixel of a part that lies nearest to its centre of mass."""
    rows, columns = np.nonzero(part)
    nearest = int(((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2).argmin())
    return int(rows[nearest]), int(columns[nearest])


def _boxes(region: BoolArray) -> BoolArray:
    found = np.zeros_like(region)
    labels, _ = ndimage.label(region, structure=_EIGHT)
    for window in ndimage.find_objects(labels):
        found[window] = True
    return found


def _parts(region: BoolArray, shown: Shown | None, surface: Surface | None, lesions: Lesions) -> tuple[Candidate, ...]:
    if not region.any():
        return ()
    sure = _sureness(shown)
    labels, _ = ndimage.label(region, structure=_EIGHT)
    made = []
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        part = labels[window] == number
        top, left = window[0].start, window[1].start
        if surface is None:
            row, column = _middle(part)
            score = sure
        else:
            values = np.where(part, surface.values[window], -np.inf)
            row, column = (int(at) for at in np.unravel_index(int(values.argmax()), part.shape))
            score = float(values[row, column])
        made.append(Candidate(score, lesions.at(top + row, left + column)))
    return tuple(made)


def _sureness(shown: Shown | None) -> float:
    if shown is None:
        return 1.0
    said = shown.place.score if shown.place is not None else None
    return next((value for value in (said, shown.probability) if value is not None), 1.0)
