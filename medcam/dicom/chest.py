"""Whether a radiograph is a frontal chest film, by its attributes alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from medcam.core.radiograph import Radiograph, View

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
        reason: One of "not an x-ray", "not a chest", "not frontal", or which attribute is missing; empty for yes.
    """

    answer: Answer
    reason: str = ""


def frontal_chest(radiograph: Radiograph) -> Verdict:
    """Judges modality, body part and view; what the attributes do not say stays undecided.

    Args:
        radiograph: Its `view` and its attributes `modality` and `body_part` are used.
    """
    modality = radiograph.attributes.get("modality", "").upper()
    body_part = radiograph.attributes.get("body_part", "").upper()
    if modality not in _X_RAY | _MAY_HOLD_A_FILM:
        return Verdict(Answer.NO, "not an x-ray")
    is_chest = _is_chest(body_part)
    if is_chest is False:
        return Verdict(Answer.NO, "not a chest")
    if radiograph.view is View.LATERAL:
        return Verdict(Answer.NO, "not frontal")
    missing = {
        "modality": modality not in _X_RAY,
        "body part": is_chest is None,
        "view": radiograph.view is View.UNKNOWN,
    }
    unknown = [name for name, is_missing in missing.items() if is_missing]
    if unknown:
        return Verdict(Answer.UNDECIDED, f"{', '.join(unknown)} not told")
    return Verdict(Answer.YES)


def _is_chest(body_part: str) -> bool | None:
    words = set(re.findall(r"[A-Z]+", body_part))
    if "".join(sorted(words)) == "" or words & _MAY_SHOW_THE_CHEST or {"CHEST", "ABDOMEN"} <= words:
        return None
    return bool(words & _CHEST) and "SPINE" not in words
