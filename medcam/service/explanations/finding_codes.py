"""SNOMED CT codes of the findings that chest X-ray classifiers name."""

from __future__ import annotations

from collections.abc import Sequence

from medcam.core.card import FindingCard
from medcam.core.codes import CodedConcept, slug

_CODES = {
    "atelectasis": ("46621007", "Atelectasis"),
    "cardiomegaly": ("8186001", "Cardiomegaly"),
    "consolidation": ("95436008", "Pulmonary consolidation"),
    "pleural-effusion": ("60046008", "Pleural effusion"),
    "effusion": ("60046008", "Pleural effusion"),
    "pneumothorax": ("36118008", "Pneumothorax"),
    "nodule": ("427359005", "Solitary nodule of lung"),
    "mass": ("309529002", "Lung mass"),
    "pneumonia": ("233604007", "Pneumonia"),
    "edema": ("19242006", "Pulmonary edema"),
    "emphysema": ("87433001", "Pulmonary emphysema"),
    "fibrosis": ("51615001", "Fibrosis of lung"),
    "fracture": ("125605004", "Fracture of bone"),
    "support-devices": ("49062001", "Device"),
}


def finding_code(name: str) -> CodedConcept | None:
    """The SNOMED CT code of a finding, None where none is known."""
    entry = _CODES.get(slug(name))
    return CodedConcept(entry[0], "SCT", entry[1]) if entry else None


def finding_cards(names: Sequence[str]) -> tuple[FindingCard, ...]:
    """Blank cards with codes, before anything was calibrated or measured."""
    return tuple(FindingCard(name=name, code=finding_code(name)) for name in names)
