"""The projected thorax of one patient: chord lengths of every tissue along the beam, and silhouettes of the anatomy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcam.phantom.airways import add_gas, trachea
from medcam.phantom.body import body_thickness
from medcam.phantom.case import LEFT, RIGHT, Patient
from medcam.phantom.grid import Grid, Image
from medcam.phantom.heart import Heart, aorta, heart
from medcam.phantom.lungs import Lung, lateral_border, lung
from medcam.phantom.physics import MU_AIR, MU_BONE, MU_LUNG, MU_METAL, MU_SOFT
from medcam.phantom.skeleton import skeleton
from medcam.phantom.vessels import lung_markings

SIDES = (RIGHT, LEFT)


@dataclass(eq=False)
class Thorax:
    """Chord lengths in mm, float32 [size, size]. The findings change it in place while they are inserted.

    Args:
        grid: The detector.
        patient: Whose thorax.
        body: All tissue along the beam, air in the lungs included.
        lungs: The two lungs as they were before heart, aorta and findings displaced them.
        aerated: Lung per side, what heart and aorta displace already taken out.
        markings: Vessels and interstitium: lung that is soft tissue.
        opacity: Soft tissue that findings put in the place of lung.
        free_air: Pleural air: lung that became air.
        airway: Air in trachea, main bronchi and stomach.
        bone: Cortical bone equivalent.
        metal: Device material.
        cardiac: The heart.
    """

    grid: Grid
    patient: Patient
    body: Image
    lungs: dict[int, Lung]
    aerated: dict[int, Image]
    markings: Image
    opacity: Image
    free_air: Image
    airway: Image
    bone: Image
    metal: Image
    cardiac: Heart

    @property
    def lung_path(self) -> Image:
        """Both lungs together."""
        return self.aerated[RIGHT] + self.aerated[LEFT]

    def attenuation(self) -> Image:
        """Line integral of the attenuation coefficient along every beam (Beer-Lambert exponent), no unit."""
        air_filled = np.maximum(self.lung_path - self.markings - self.opacity, 0.0)
        pleural = np.minimum(self.free_air, air_filled)
        tissue = np.maximum(self.body - air_filled - self.airway, 0.0)
        total = MU_SOFT * tissue + MU_LUNG * (air_filled - pleural) + MU_AIR * pleural
        total += (MU_BONE - MU_SOFT) * self.bone + MU_METAL * self.metal
        return np.asarray(total, dtype=np.float32)


def build_thorax(
    grid: Grid, patient: Patient, *, heart_ratio: float, raised: dict[int, float], detail: bool = True
) -> Thorax:
    """Projects a patient.

    Args:
        grid: The detector.
        patient: The patient.
        heart_ratio: Cardiothoracic ratio to draw.
        raised: How much each dome of the diaphragm is raised by volume loss, mm per side.
        detail: False leaves out bones and lung markings.
    """
    lateral = lateral_border(grid, patient)
    lungs = {side: lung(grid, patient, side, lateral, raised.get(side, 0.0)) for side in SIDES}
    cardiac = heart(grid, patient, heart_ratio, float(lateral.max()), {s: lungs[s].dome for s in SIDES})
    aerated: dict[int, Image] = {
        side: np.asarray(lungs[side].path - 0.95 * np.minimum(lungs[side].path, cardiac.path), dtype=np.float32)
        for side in SIDES
    }
    behind = np.minimum(aerated[LEFT], aorta(grid, patient))
    aerated[LEFT] = np.asarray(aerated[LEFT] - 0.9 * behind, dtype=np.float32)
    airway = trachea(grid, patient)
    add_gas(grid, patient, airway)
    return Thorax(
        grid=grid,
        patient=patient,
        body=body_thickness(grid, patient),
        lungs=lungs,
        aerated=aerated,
        markings=lung_markings(grid, patient, np.add(aerated[RIGHT], aerated[LEFT])) if detail else grid.zeros(),
        opacity=grid.zeros(),
        free_air=grid.zeros(),
        airway=airway,
        bone=skeleton(grid, patient, lateral) if detail else grid.zeros(),
        metal=grid.zeros(),
        cardiac=cardiac,
    )
