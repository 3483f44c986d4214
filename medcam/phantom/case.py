"""What a phantom is before it is drawn: a patient, findings, an acquisition and distractors, all plain numbers.

Lengths are in mm, x to the patient's left (the picture's right), y down the body, z along the beam.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from medcam.core.errors import UsageError

FINDINGS = (
    "Cardiomegaly",
    "Pleural Effusion",
    "Pneumothorax",
    "Consolidation",
    "Nodule",
    "Mass",
    "Atelectasis",
    "Support Devices",
)
"""All findings that a phantom can have."""

RIGHT, LEFT = -1, 1
"""Sides of the patient: the sign of x."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Anatomy of one person.

    Args:
        sex: "F" or "M".
        age_years: Age.
        view: "PA" or "AP"; AP films are taken lying or sitting, with less air in the lungs.
        scale: Body size relative to the mean.
        thorax: Half the inner width of the thorax.
        apex: y of the lungs' apices.
        dome_right: y of the right dome of the diaphragm.
        dome_left: y of the left dome.
        heart_ratio: Cardiothoracic ratio without cardiomegaly, .38 to .49.
        rotation: Shift of midline structures, from turning.
        depth: Thickness of the thorax along the beam.
        fat: Thickness of subcutaneous fat.
        aorta: Unfolding of the aorta, grows with age.
        markings: Strength of the lung markings, about 1.
        rib_density: Strength of the ribs, about 1.
        seed: Of everything that varies in detail (vessels, ribs, breast, gas).
    """

    sex: str
    age_years: int
    view: str
    scale: float
    thorax: float
    apex: float
    dome_right: float
    dome_left: float
    heart_ratio: float
    rotation: float
    depth: float
    fat: float
    aorta: float
    markings: float
    rib_density: float
    seed: int

    def dome(self, side: int) -> float:
        """y of a dome of the diaphragm."""
        return self.dome_right if side == RIGHT else self.dome_left


@dataclass(frozen=True, slots=True)
class FindingSpec:
    """One finding to insert: its name, side (0 where it has none) and parameters in mm, ml or as a density factor."""

    name: str
    side: int
    parameters: Mapping[str, float]
    seed: int
    kind: str = ""

    def __getitem__(self, key: str) -> float:
        return self.parameters[key]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How the film was taken and stored.

    Args:
        field: Side of the square field in mm.
        shift_x: Of the field's centre from the midline, mm.
        shift_y: Of the field's top edge, mm.
        photons: Mean photons per square mm behind the body, sets the noise.
        scatter: Scatter-to-primary ratio.
        unsharpness: Standard deviation of the detector's blur, mm.
        edge: Strength of the vendor's edge enhancement.
        equalise: Share of the slow background that the vendor's processing removes.
        gamma: Exponent of the vendor's look-up table.
        bits_stored: 10 to 14.
        photometric: "MONOCHROME1" or "MONOCHROME2".
        voi: How the file says to show itself: "window", "narrow", "sigmoid" or "table".
        seed: Of the noise.
    """

    field: float
    shift_x: float
    shift_y: float
    photons: float
    scatter: float
    unsharpness: float
    edge: float
    equalise: float
    gamma: float
    bits_stored: int
    photometric: str
    voi: str
    seed: int


@dataclass(frozen=True, slots=True)
class Distractor:
    """Something on the film that is no finding: "marker", "text", "button" or "electrode".

    Args:
        kind: Which.
        x: Position across the film, 0 to 1.
        y: Position down the film, 0 to 1.
        text: Letters, where it has any.
        size: Height as a share of the film.
        strength: Brightness, 0 to 1.
        angle: Direction of an electrode's lead in radians.
    """

    kind: str
    x: float
    y: float
    text: str = ""
    size: float = 0.04
    strength: float = 1.0
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """One phantom: draw it with `render`.

    Args:
        seed: Of the series.
        index: In the series.
        patient: The patient.
        findings: What the patient has.
        acquisition: How the film was taken.
        distractors: What is on the film without being a finding.
        raised_domes: Side and mm by which a dome of the diaphragm stands high without any finding.
    """

    seed: int
    index: int
    patient: Patient
    findings: tuple[FindingSpec, ...]
    acquisition: Acquisition
    distractors: tuple[Distractor, ...]
    raised_domes: tuple[tuple[int, float], ...] = ()

    def without(self, *names: str, keep_domes: bool = False) -> Case:
        """The matched counterfactual: the same patient, film, noise and distractors without these findings.

        Args:
            names: The findings to leave out.
            keep_domes: Whether a dome that a finding raised stays where it is, so that nothing but the airless lung
                itself tells the two films apart.

        Raises:
            UsageError: A name is not a finding of phantoms.
        """
        for name in names:
            if name not in FINDINGS:
                raise UsageError(f"phantoms have no finding {name!r}", next_step=f"They know: {', '.join(FINDINGS)}.")
        left = tuple(finding for finding in self.findings if finding.name not in names)
        kept = [(f.side, f["raised_mm"]) for f in self.findings if f.name in names and "raised_mm" in f.parameters]
        return replace(self, findings=left, raised_domes=self.raised_domes + tuple(kept if keep_domes else ()))
