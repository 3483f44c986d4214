"""Shares with intervals in which patients are the unit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medcam.evaluate.agreement import share_figure
from medcam.evaluate.agreement_figure import Figure, nothing
from medcam.evaluate.localisation import share_interval


def proportion(hits: npt.ArrayLike, patients: npt.ArrayLike) -> Figure:
    """A share, 0 to 1: Wilson's (1927) interval where every film has a patient of its own, else a patient bootstrap.

    Args:
        hits: bool [n].
        patients: [n], the patient of each film.
    """
    values, groups = np.asarray(hits, dtype=bool), np.asarray(patients)
    if not len(values):
        return nothing()
    if len(np.unique(groups)) < len(groups):
        return share_figure(values, groups)
    ends = share_interval(values)
    return Figure(ends.value, ends.low, ends.high, len(values), len(values))
