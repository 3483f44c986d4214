"""Every film on which answer and label disagree, with where the evidence lay and the likely reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from medcam.anatomy import MIN_QUALITY
from medcam.anatomy.structures import structures
from medcam.cam.shares import half_area, positive_shares, touched_share, turned
from medcam.core.finding import Evidence, Finding
from medcam.core.protocols import Classifier
from medcam.core.zones import OUTSIDE
from medcam.dicom.deidentify import FindText
from medcam.evaluate.expected_anatomy import expected_anatomy
from medcam.evaluate.triage import RULES, Cause, EvidencePlaces, Mistake, TriageRules, likely_cause
from medcam.service.annotate.pictures import margin
from medcam.service.evaluation.cohort import CohortFilm
from medcam.service.evaluation.explained_films import ExplainedFilm, explained_films


@dataclass(frozen=True, eq=False)
class FilmError:
    """One wrong answer, by the film's label.

    Args:
        film: The film's name.
        finding: The finding's name.
        mistake: False positive or false negative.
        cause: The likely reason.
        probability: Of the model.
        threshold: Its operating threshold.
        margin: Logit minus the logit of the threshold.
        places: Where the evidence for the answer lies: what the reason was derived from.
        evidence: The ledger; its `zones` are None where the zones are poor.
        marks_known: Whether markers and text were known; they were looked for otherwise.
        seen: Film and explanation, to draw.
    """

    film: str
    finding: str
    mistake: Mistake
    cause: Cause
    probability: float
    threshold: float
    margin: float
    places: EvidencePlaces
    evidence: Evidence
    marks_known: bool
    seen: ExplainedFilm = field(repr=False)


@dataclass(eq=False)
class Answers:
    """Counts what was compared while errors are looked for."""

    films: int = 0
    compared: dict[str, int] = field(default_factory=dict)
    present: dict[str, int] = field(default_factory=dict)


def film_errors(
    films: Iterable[CohortFilm],
    model: Classifier,
    answers: Answers | None = None,
    *,
    rules: TriageRules = RULES,
    find_text: FindText | None = None,
) -> Iterator[FilmError]:
    """Compares answers with labels, and says of each wrong answer why it may be wrong.

    Args:
        films: With labels; findings without a label on a film are passed over.
        model: With a ledger.
        answers: Counts what is compared.
        rules: Thresholds of the reasons.
        find_text: Looks for markers and text where they are not known, see `CohortFilm.mark_mask`.

    Yields:
        Wrong answers, in the order of films and of the card's findings.

    Raises:
        ModelError: The model's head has no ledger (code `no-ledger`).
    """
    counts = Answers() if answers is None else answers
    for one in explained_films(films, model):
        counts.films += 1
        for finding in one.explanation.findings:
            label = one.film.labels.get(finding.name)
            if label is None:
                continue
            counts.compared[finding.name] = counts.compared.get(finding.name, 0) + 1
            counts.present[finding.name] = counts.present.get(finding.name, 0) + label
            if bool(finding.present) != bool(label):
                yield _error(one, finding, rules, find_text)


def _error(one: ExplainedFilm, finding: Finding, rules: TriageRules, find_text: FindText | None) -> FilmError:
    mistake = Mistake.FALSE_POSITIVE if finding.present else Mistake.FALSE_NEGATIVE
    below = margin(finding)
    places = evidence_places(one, finding, mistake, find_text)
    assert finding.evidence is not None  # `explained_films` refuses models without a ledger
    return FilmError(
        film=one.film.name,
        finding=finding.name,
        mistake=mistake,
        cause=likely_cause(mistake, below, places, rules),
        probability=finding.probability,
        threshold=finding.threshold,
        margin=below,
        places=places,
        evidence=finding.evidence,
        marks_known=one.film.marks is not None,
        seen=one,
    )


def evidence_places(
    one: ExplainedFilm, finding: Finding, mistake: Mistake, find_text: FindText | None = None
) -> EvidencePlaces:
    """Where the evidence for an answer lies on a film: the evidence for a yes, the evidence against for a no."""
    spoken = finding.map if mistake is Mistake.FALSE_POSITIVE else turned(finding.map)
    marks, marks_area = touched_share(spoken, one.film.mark_mask(find_text))
    total = float(np.maximum(spoken.values, 0.0, dtype=np.float64).sum()) * spoken.cell_weight
    outside, expected = None, None
    if one.zones.quality >= MIN_QUALITY:
        masks = {**one.zones.masks, **structures(one.zones)}
        wanted = {"body": ~masks[OUTSIDE]}
        anatomy = expected_anatomy(finding.name)
        if anatomy is not None:
            wanted["expected"] = np.any([masks[name] for name in anatomy.places], axis=0) & wanted["body"]
        shares = positive_shares(spoken, wanted)
        expected = shares.get("expected")
        # What is under no mask, in the padding of the model's input, is outside too.
        outside = 1.0 - shares["body"] if total > 0.0 else 0.0
    return EvidencePlaces(marks, marks_area, marks * total, half_area(spoken), outside, expected)
