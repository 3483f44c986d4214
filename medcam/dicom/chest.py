"""Whether a radiograph is a frontal chest film, by its attributes alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from medcam.core.radiograph import Radiograph, View
from medcam.dicom.described import CHEST, FRONTAL, LATERAL, OTHER

_X_RAY = frozenset(("CR", "DX", "RG"))
_MAY_HOLD_A_FILM = frozenset(("", "OT", "SC"))
"""Secondary captures and unlabelled objects: scanned films among them, so their modality decides nothing."""

_CHEST = frozenset(("CHEST", "THORAX", "TORAX", "LUNG", "LUNGS"))
_MAY_SHOW_THE_CHEST = frozenset(("", "BODY", "WHOLEBODY", "BABYGRAM", "TRUNK", "CHESTABDOMEN", "CHESTABDPELVIS"))


class Answer(StrEnum):
    """Of a check by attributes."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer and, unless it is yes, why.

    Args:
        answer: Yes only where view, body part and modality all say so; no where one of them contradicts.
        reason: One of "not an x-ray", "not a chest", "not frontal", or which attribute is missing or contradicted;
            empty for yes.
    """

    answer: Answer
    reason: str = ""


def frontal_chest(radiograph: Radiograph) -> Verdict:
    """Judges modality, body part and view; what the attributes do not say stays undecided.

    The attributes made for it come first. Where they are silent, Patient Orientation and the texts of series, protocol
    and study answer; where these contradict a chest or a frontal view that is stated, nothing is decided.

    Args:
        radiograph: Its `view`, `patient_orientation` and attributes `modality`, `body_part`, `described_view` and
            `described_part` are used.
    """
    attributes = radiograph.attributes
    modality = attributes.get("modality", "").upper()
    if modality not in _X_RAY | _MAY_HOLD_A_FILM:
        return Verdict(Answer.NO, "not an x-ray")
    stated_chest, stated_frontal = _is_chest(attributes.get("body_part", "").upper()), _is_frontal(radiograph.view)
    described_chest = {CHEST: True, OTHER: False}.get(attributes.get("described_part", ""))
    described_frontal = {FRONTAL: True, LATERAL: False}.get(attributes.get("described_view", ""))
    is_chest = _weighed(stated_chest, described_chest)
    is_frontal = _weighed(stated_frontal, _coronal(radiograph.patient_orientation), described_frontal)
    if is_chest is False:
        return Verdict(Answer.NO, "not a chest")
    if is_frontal is False:
        return Verdict(Answer.NO, "not frontal")
    missing = {"modality": modality not in _X_RAY, "body part": is_chest is None, "view": is_frontal is None}
    unknown = [name for name, is_missing in missing.items() if is_missing]
    if unknown:
        return Verdict(Answer.UNDECIDED, f"{', '.join(unknown)} not told, or told in two ways")
    return Verdict(Answer.YES)


def _weighed(stated: bool | None, *hints: bool | None) -> bool | None:
    """What is stated, where nothing hints otherwise; a stated no stands. Else what the hints agree on."""
    given = {hint for hint in hints if hint is not None}
    if stated is False:
        return False
    if stated is None:
        return given.pop() if len(given) == 1 else None
    return None if False in given else True


def _is_frontal(view: View) -> bool | None:
    return None if view is View.UNKNOWN else view is not View.LATERAL


def _coronal(orientation: tuple[str, ...]) -> bool | None:
    """Whether Patient Orientation puts the film into the frontal plane: rows to a side, columns along the body."""
    axes = {value[:1] for value in orientation}
    if not axes:
        return None
    return bool(axes & {"L", "R"}) and bool(axes & {"H", "F"}) if axes & {"L", "R", "A", "P"} else None


def _is_chest(body_part: str) -> bool | None:
    words = set(re.findall(r"[A-Z]+", body_part))
    if "".join(sorted(words)) == "" or words & _MAY_SHOW_THE_CHEST or {"CHEST", "ABDOMEN"} <= words:
        return None
    return bool(words & _CHEST) and "SPINE" not in words
