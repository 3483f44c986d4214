"""Where a finding is expected to lie: a small table with sources, to stand beside where the evidence was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LUNG_TERMS = "Hansell et al. 2008, Fleischner Society: glossary of terms for thoracic imaging, Radiology 246:697"


@dataclass(frozen=True, slots=True)
class ExpectedAnatomy:
    """The anatomy of one finding.

    Args:
        places: Names of zones (`medcam.core.zones`) and structures (`medcam.anatomy.structures`) that it may lie in.
        words: The same for people.
        source: Where that is written.
    """

    places: tuple[str, ...]
    words: str
    source: str


_IN_LUNGS = ExpectedAnatomy(("lungs",), "lungs", LUNG_TERMS)

EXPECTED: Mapping[str, ExpectedAnatomy] = {
    "Cardiomegaly": ExpectedAnatomy(("heart",), "heart", "Danzer 1919, The cardiothoracic ratio, Am J Med Sci 157:513"),
    "Pleural Effusion": ExpectedAnatomy(
        ("lower-lungs", "costophrenic-angles"),
        "lower zones and costophrenic angles",
        "Blackmore et al. 1996, Pleural fluid volume estimation, Acad Radiol 3:103",
    ),
    "Pneumothorax": ExpectedAnatomy(
        ("upper-lungs", "lung-periphery"),
        "upper zones and periphery",
        "O'Connor and Morgan 2005, Radiological review of pneumothorax, BMJ 330:1493",
    ),
    "Nodule": _IN_LUNGS,
    "Mass": _IN_LUNGS,
    "Consolidation": _IN_LUNGS,
    "Atelectasis": _IN_LUNGS,
    "Support Devices": ExpectedAnatomy(
        ("mediastinum", "heart", "upper-lungs"),
        "mediastinum, heart and upper zones",
        "Godoy et al. 2012, Chest radiography in the ICU, parts 1 and 2, AJR 198:563 and 198:572",
    ),
}
"""By the finding's name on a model card."""


def expected_anatomy(finding: str) -> ExpectedAnatomy | None:
    """The anatomy expected of a finding; None where the table does not know it. Case does not matter."""
    folded = {name.casefold(): anatomy for name, anatomy in EXPECTED.items()}
    return folded.get(finding.replace("_", " ").replace("-", " ").casefold())
