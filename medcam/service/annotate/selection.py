"""Which films are annotated: frontal chest films by their attributes, or, where these are silent, by their look."""

from __future__ import annotations

from medcam.anatomy import UNLIKELY, chest_likeness
from medcam.core.radiograph import Radiograph
from medcam.dicom import Answer, Verdict, frontal_chest


def select(radiograph: Radiograph) -> Verdict:
    """Decides about one film.

    Args:
        radiograph: The film.

    Returns:
        No, with a reason, for what is passed over. Undecided for a film whose attributes are silent and that looks
        like a frontal chest film, or may be one: it is annotated, with a warning, and the model's
        out-of-distribution gate has the last word.
    """
    verdict = frontal_chest(radiograph)
    if verdict.answer is Answer.UNDECIDED and chest_likeness(radiograph) < UNLIKELY:
        return Verdict(Answer.NO, "unlike a chest film")
    return verdict
