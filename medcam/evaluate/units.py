"""What units contribute to a finding (Zhou et al. 2015, section 5: class-specific units)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class UnitShare:
    """What one unit adds to the score of one finding.

    Args:
        unit: Its number.
        weight: Of the finding.
        present: weight x mean activation over the films with the finding.
        absent: The same over the films without; nan where there are none.
    """

    unit: int
    weight: float
    present: float
    absent: float

    @property
    def difference(self) -> float:
        """How much more it adds where the finding is."""
        return self.present - self.absent


def unit_shares(weights: npt.ArrayLike, activations: npt.ArrayLike, labels: npt.ArrayLike) -> list[UnitShare]:
    """What every unit adds to one finding, the largest contribution first.

    The contributions on films with the finding and the bias sum to the finding's mean score there.

    Args:
        weights: [units] of the finding.
        activations: [films, units], each unit's mean over the film.
        labels: [films], 1 with the finding, 0 without, anything else is not counted.

    Raises:
        InvalidValueError: Shapes disagree, or no film has the finding.
    """
    w = np.asarray(weights, dtype=np.float64)
    means, truth = np.asarray(activations, dtype=np.float64), np.asarray(labels)
    if w.ndim != 1 or means.shape != (len(truth), len(w)):
        raise InvalidValueError("units need weights [units], activations [films, units] and labels [films]")
    if not (truth == 1).any():
        raise InvalidValueError("no film has the finding")
    present = w * means[truth == 1].mean(axis=0)
    absent = w * means[truth == 0].mean(axis=0) if (truth == 0).any() else np.full(len(w), np.nan)
    order = np.argsort(-present, kind="stable")
    return [UnitShare(int(unit), float(w[unit]), float(present[unit]), float(absent[unit])) for unit in order]
