"""A cohort of phantoms with exact zones, which several experiments look at with the shipped model."""

from __future__ import annotations

from pathlib import Path

from medcam.experiments.experiment import Setting
from medcam.service.phantoms.make_phantoms import make_phantoms

SEED = 5555
"""No film of the project is made of it but these."""
MODEL = "phantom"


def phantom_cohort(setting: Setting) -> Path:
    """The folder of the cohort; rendered once."""
    count, size = setting.budget.of(8, 60, 300), setting.budget.of(128, 512, 512)
    folder = setting.work / f"cohort-{count}-{size}-{setting.seed}"
    make_phantoms(folder, count, SEED + setting.seed, size=size, workers=setting.workers)
    setting.report(f"{count} phantoms")
    return folder
