"""Reports of phantoms, written from their truth in varied wording: what phrases are measured with.

A finding is told in a phrase or in other words, what is absent is denied or not mentioned, a few reports are in doubt
or say in their indication what was asked; and every report may hold phrases that have nothing to do with the film.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from medcam.phantom import Case, FindingSpec

SMALL_ML = 300.0
"""Effusions below this blunt the angle; larger ones are told otherwise."""

DENIED, DOUBTED, ASKED, IDLE = 0.35, 0.03, 0.03, 0.3
"""Shares of the films without a concept whose report denies it, doubts it, or names it in its indication alone; and of
all films whose report holds an idle phrase."""


@dataclass(frozen=True, slots=True)
class Concept:
    """Something visible that radiologists have a phrase for.

    Args:
        phrase: What is searched for.
        finding: Of the phantom, whose mask the map should lie on.
        applies: Whether a finding of that name is this.
        said: Sentences that hold the phrase in one form or another.
        otherwise: Sentences that say the same in other words.
        denied: Sentences that say it is absent.
        device: The kind of support device whose own mask counts; empty elsewhere.
        strict: Whether films with the finding that are not this are told apart from it; else they count neither way.
    """

    phrase: str
    finding: str
    applies: Callable[[FindingSpec], bool]
    said: tuple[str, ...]
    otherwise: tuple[str, ...]
    denied: tuple[str, ...]
    device: str = ""
    strict: bool = True

    def spec(self, case: Case) -> FindingSpec | None:
        """The phantom's finding that this concept is about; None where it has none."""
        return next((spec for spec in case.findings if spec.name == self.finding and self.applies(spec)), None)

    def unclear(self, case: Case) -> bool:
        """Whether a film counts neither as one with the concept nor as one without."""
        return not self.strict and self.spec(case) is None and any(s.name == self.finding for s in case.findings)


def _always(spec: FindingSpec) -> bool:
    return bool(spec.name)


def _kind(word: str) -> Callable[[FindingSpec], bool]:
    return lambda spec: word in spec.kind.split(", ")


CONCEPTS: tuple[Concept, ...] = (
    Concept(
        "blunted costophrenic angle",
        "Pleural Effusion",
        lambda spec: spec["volume_ml"] < SMALL_ML,
        ("The {side} costophrenic angle is blunted.", "Blunting of the {side} costophrenic angle."),
        ("Small {side} pleural effusion.",),
        ("No blunting of the costophrenic angles.", "The costophrenic angles are not blunted."),
        strict=False,
    ),
    Concept(
        "effusion with a meniscus",
        "Pleural Effusion",
        lambda spec: spec["volume_ml"] >= SMALL_ML,
        ("{Side} pleural effusion with a meniscus.", "Meniscus of a {side} effusion."),
        ("Fluid obscures the {side} hemidiaphragm.",),
        ("No effusion, no meniscus.", "No meniscus to indicate an effusion."),
        strict=False,
    ),
    Concept(
        "enlarged cardiac silhouette",
        "Cardiomegaly",
        _always,
        ("The cardiac silhouette is enlarged.", "Enlargement of the cardiac silhouette."),
        ("Cardiomegaly.", "The heart is big."),
        ("The cardiac silhouette is not enlarged.", "No enlargement of the cardiac silhouette."),
    ),
    Concept(
        "visceral pleural line",
        "Pneumothorax",
        _always,
        ("A visceral pleural line is seen on the {side}.", "{Side} apical air with a visible visceral pleural line."),
        ("{Side} pneumothorax.",),
        ("No visceral pleural line is seen.", "No evidence of a visceral pleural line."),
    ),
    Concept(
        "airspace opacity",
        "Consolidation",
        _always,
        ("Patchy airspace opacities in the {side} lung.", "{Side} airspace opacity with ill-defined margins."),
        ("{Side} consolidation.",),
        ("No airspace opacity.", "The lungs are free of airspace opacities."),
    ),
    Concept(
        "pulmonary nodule",
        "Nodule",
        _always,
        ("A pulmonary nodule projects over the {side} lung.", "Solitary {side} pulmonary nodule."),
        ("Round {side} density of about a centimetre.",),
        ("No pulmonary nodule.", "Pulmonary nodules are not seen."),
    ),
    Concept(
        "lobulated mass",
        "Mass",
        _always,
        ("A lobulated mass in the {side} lung.", "Mass with lobulated margins on the {side}."),
        ("Large {side} tumour.",),
        ("No lobulated mass.", "No mass with lobulated margins."),
    ),
    Concept(
        "plate-like atelectasis",
        "Atelectasis",
        _kind("plate"),
        ("Plate-like atelectasis at the {side} base.", "Atelectasis at the {side} base, plate-like."),
        ("Linear {side} basal scarring or subsegmental collapse.",),
        ("No plate-like atelectasis.",),
    ),
    Concept(
        "lower lobe volume loss",
        "Atelectasis",
        _kind("lobar"),
        ("Volume loss of the {side} lower lobe.", "{Side} lower lobe collapse with loss of volume."),
        ("Wedge-shaped {side} retrocardiac density.",),
        ("No volume loss of the lower lobes.", "Lower lobes without loss of volume."),
    ),
    Concept(
        "pacemaker generator",
        "Support Devices",
        _kind("pacemaker"),
        ("A pacemaker generator overlies the chest wall.", "Pacemaker with its generator in the pectoral pocket."),
        ("Cardiac pacing device in situ.",),
        ("No pacemaker generator.",),
        device="pacemaker",
    ),
    Concept(
        "endotracheal tube",
        "Support Devices",
        _kind("endotracheal tube"),
        ("The endotracheal tube ends above the carina.", "Endotracheal tube in good position."),
        ("Patient is intubated.",),
        ("No endotracheal tube.", "The endotracheal tube has been removed."),
        device="endotracheal tube",
    ),
    Concept(
        "central venous catheter",
        "Support Devices",
        _kind("central line"),
        ("Central venous catheter with its tip in the superior vena cava.", "A central venous catheter is in place."),
        ("Jugular line in situ.",),
        ("No central venous catheter.", "The central venous catheter has been removed."),
        device="central line",
    ),
    Concept(
        "nasogastric tube",
        "Support Devices",
        _kind("gastric tube"),
        ("The nasogastric tube ends in the stomach.", "Nasogastric tube below the diaphragm."),
        ("Feeding tube in place.",),
        ("No nasogastric tube.", "The nasogastric tube has been removed."),
        device="gastric tube",
    ),
)
"""Phrases with a visual meaning."""

IDLE_PHRASES = {
    "reviewed with the attending": "Images were reviewed with the attending.",
    "comparison with outside films": "Comparison with outside films was made.",
    "dictated by the resident": "Dictated by the resident on call.",
    "results called to the ward": "Results were called to the ward.",
}
"""Phrases without a visual meaning, each with the sentence that holds it."""


def varied_report(case: Case) -> str:
    """A report of a phantom, the same for the same phantom; see the module."""
    rng = np.random.default_rng([case.seed, case.index, 23])
    asked, seen = [], []
    for concept in CONCEPTS:
        spec, draw = concept.spec(case), float(rng.random())
        if spec is not None:
            seen.append(_told(concept, spec, draw, rng))
        elif concept.unclear(case):
            continue  # an angle under a litre of fluid is neither sharp nor merely blunted
        elif draw < DENIED:
            seen.append(str(rng.choice(concept.denied)))
        elif draw < DENIED + DOUBTED:
            seen.append(f"Possible {concept.phrase}.")
        elif draw < DENIED + DOUBTED + ASKED:
            asked.append(f"Evaluate for {concept.phrase}.")
    # Of a stream of their own: what is on the film has no say in them.
    idle = np.random.default_rng([case.seed, case.index, 29]).random(len(IDLE_PHRASES)) < IDLE
    seen += [sentence for sentence, held in zip(IDLE_PHRASES.values(), idle, strict=True) if held]
    findings = " ".join(str(sentence) for sentence in rng.permutation(seen)) or "Normal chest."
    return f"INDICATION: {' '.join(asked) or 'Cough.'}\nFINDINGS: {findings}"


def _told(concept: Concept, spec: FindingSpec, draw: float, rng: np.random.Generator) -> str:
    """In the phrase three times in four, else in other words."""
    sentence = str(rng.choice(concept.said if draw < 0.75 else concept.otherwise))
    side = {-1: "right", 1: "left"}.get(spec.side, "")
    return sentence.format(side=side, Side=side.capitalize())
