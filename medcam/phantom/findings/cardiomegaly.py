"""Cardiomegaly: a cardiothoracic ratio of .52 to .70."""

from __future__ import annotations

import numpy as np

from medcam.phantom.case import FindingSpec
from medcam.phantom.findings.base import draw_seed
from medcam.phantom.grid import Image
from medcam.phantom.thorax import Thorax


class Cardiomegaly:
    """The heart is drawn wider when the thorax is built; its whole silhouette is the finding."""

    footprint = 0.0

    def sample(self, rng: np.random.Generator, name: str) -> FindingSpec:
        """Draws the cardiothoracic ratio."""
        return FindingSpec(name, 0, {"cardiothoracic_ratio": float(rng.uniform(0.53, 0.70))}, draw_seed(rng))

    def insert(self, thorax: Thorax, spec: FindingSpec) -> Image:
        """Nothing is left to change: returns the heart where its silhouette shows."""
        return np.where(thorax.cardiac.silhouette, thorax.cardiac.path, 0.0).astype(np.float32)
