"""Drawing a case: thorax, findings, beam, detector, vendor's processing, truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError
from medcam.phantom.case import LEFT, RIGHT, Case, FindingSpec
from medcam.phantom.distractors import Placed, add_metal, burn_in
from medcam.phantom.findings import INSERTERS, ORDER
from medcam.phantom.grid import Grid, Image
from medcam.phantom.physics import detector_signal
from medcam.phantom.processing import Levels, Stored, enhance, find_levels, look_up, store
from medcam.phantom.report import write_report
from medcam.phantom.thorax import Thorax, build_thorax
from medcam.phantom.truth import FindingTruth, fine_structure, make_truth
from medcam.phantom.zones import anatomy_masks

SMALLEST = 64
LEVELS_SIZE = 96


@dataclass(frozen=True, eq=False)
class Phantom:
    """One synthetic radiograph with its truth.

    Args:
        linear: float32 [size, size], 0 to 1, denser is brighter: the film as processed by the vendor, before it was
            quantised and, for MONOCHROME1, inverted. A reader that undoes polarity gets linear * (2 ** bits_stored - 1)
            up to rounding.
        stored: Stored values with their window or table.
        bits_stored: 10 to 14.
        photometric: "MONOCHROME1" or "MONOCHROME2".
        pixel_spacing: mm at the detector.
        view: "PA" or "AP".
        sex: "F" or "M".
        age_years: Age.
        truths: What is truly there and on the film.
        zones: bool [size, size] per name; see `anatomy_masks`. Empty when drawn without truth.
        report: Radiology report. Empty when drawn without truth.
        distractors: What is there without being a finding.
    """

    linear: Image = field(repr=False)
    stored: Stored = field(repr=False)
    bits_stored: int
    photometric: str
    pixel_spacing: float
    view: str
    sex: str
    age_years: int
    truths: tuple[FindingTruth, ...] = ()
    zones: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict, repr=False)
    report: str = ""
    distractors: tuple[Placed, ...] = ()


def render(case: Case, size: int = 512, *, truth: bool = True) -> Phantom:
    """Draws a case as a square film.

    Args:
        case: From `sample_case`.
        size: Pixels per side, at least 64.
        truth: Whether to make masks, zones and report; False is quicker.

    Raises:
        InvalidValueError: The size is too small.
    """
    if size < SMALLEST:
        raise InvalidValueError(f"a phantom needs at least {SMALLEST} pixels per side")
    levels = _levels(case)
    grid = _grid(case, size)
    thorax = _thorax(grid, case)
    placed = add_metal(grid, case, thorax.metal)
    clean = thorax.attenuation()
    inserted = _insert_all(thorax, case, clean)
    signal = detector_signal(grid, thorax.attenuation(), case.acquisition)
    film = look_up(enhance(grid, signal, case.acquisition), levels, case.acquisition)
    placed += burn_in(case, film)
    truths = _truths(thorax, inserted, fine_structure(grid, clean)) if truth else ()
    patient = case.patient
    return Phantom(
        linear=film,
        stored=store(film, case.acquisition),
        bits_stored=case.acquisition.bits_stored,
        photometric=case.acquisition.photometric,
        pixel_spacing=grid.pitch,
        view=patient.view,
        sex=patient.sex,
        age_years=patient.age_years,
        truths=truths,
        zones=anatomy_masks(thorax) if truth else {},
        report=write_report(case, truths, size) if truth else "",
        distractors=tuple(placed),
    )


def _grid(case: Case, size: int) -> Grid:
    taken = case.acquisition
    return Grid(size, taken.field, taken.shift_x, taken.shift_y)


def _thorax(grid: Grid, case: Case, *, healthy: bool = False) -> Thorax:
    ratio, raised = case.patient.heart_ratio, {RIGHT: 0.0, LEFT: 0.0}
    raised |= {} if healthy else dict(case.raised_domes)
    for spec in () if healthy else case.findings:
        ratio = spec.parameters.get("cardiothoracic_ratio", ratio)
        if "raised_mm" in spec.parameters:
            raised[spec.side] = spec["raised_mm"]
    return build_thorax(grid, case.patient, heart_ratio=ratio, raised=raised, detail=not healthy)


def _levels(case: Case) -> Levels:
    grid = _grid(case, LEVELS_SIZE)
    healthy = detector_signal(grid, _thorax(grid, case, healthy=True).attenuation(), case.acquisition, noise=False)
    return find_levels(enhance(grid, healthy, case.acquisition))


def _insert_all(thorax: Thorax, case: Case, clean: Image) -> list[tuple[FindingSpec, Image, Image]]:
    """Inserts findings in order; returns each with its footprint and the change of the line integral."""
    inserted, before = [], clean
    for spec in sorted(case.findings, key=lambda finding: ORDER.index(finding.name)):
        footprint = INSERTERS[spec.name].insert(thorax, spec)
        after = thorax.attenuation()
        inserted.append((spec, footprint, after - before))
        before = after
    return inserted


def _truths(
    thorax: Thorax, inserted: list[tuple[FindingSpec, Image, Image]], clutter: Image
) -> tuple[FindingTruth, ...]:
    made = [
        make_truth(thorax.grid, spec, footprint, change, clutter, thorax.cardiac.ratio)
        for spec, footprint, change in inserted
    ]
    return tuple(truth for truth in made if truth is not None)
