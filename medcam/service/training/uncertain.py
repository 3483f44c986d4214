"""What a label counts as in training that a report or a reader left uncertain, or did not mention."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from medcam.models.training.films import UNCERTAIN, UNKNOWN
from medcam.service.training.layouts.listing import ABSENT, PRESENT


class Uncertain(StrEnum):
    """What an uncertain label counts as, in the words of Irvin et al. 2019 (CheXpert, section 3)."""

    ONES = "u-ones"
    """Present."""
    ZEROS = "u-zeros"
    """Absent."""
    IGNORE = "u-ignore"
    """Nothing: it is masked in the loss."""


class Unmentioned(StrEnum):
    """What a finding counts as that a report does not mention."""

    ABSENT = "absent"
    """As those who train on CheXpert mostly do."""
    IGNORE = "ignore"
    """Nothing."""


_MEANS = {Uncertain.ONES: PRESENT, Uncertain.ZEROS: ABSENT, Uncertain.IGNORE: UNKNOWN}


def decided(labels: npt.NDArray[np.int8], uncertain: Uncertain) -> npt.NDArray[np.int8]:
    """Labels with those that are uncertain decided.

    Args:
        labels: int8, of any shape.
        uncertain: What they count as.
    """
    return np.where(labels == UNCERTAIN, np.int8(_MEANS[uncertain]), labels)


def filled(labels: npt.NDArray[np.int8], unmentioned: Unmentioned) -> npt.NDArray[np.int8]:
    """Labels from reports with those that are not mentioned decided."""
    return np.where(labels == UNKNOWN, np.int8(ABSENT), labels) if unmentioned is Unmentioned.ABSENT else labels
