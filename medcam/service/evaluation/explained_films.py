"""Films of a cohort with what a model says about them: what every look at a cohort starts from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from medcam.anatomy import find_zones
from medcam.core.errors import ModelError
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding
from medcam.core.protocols import Classifier
from medcam.core.zones import Zones
from medcam.service.evaluation.cohort import CohortFilm
from medcam.service.explain import explain_batch

BATCH = 4


@dataclass(frozen=True, eq=False)
class ExplainedFilm:
    """A film, its zones and its explanation.

    Args:
        film: Of the cohort.
        zones: The film's own where they are exact, else by registration, whatever their quality.
        explanation: By the model; findings are called present or absent on strange films too.
    """

    film: CohortFilm
    zones: Zones
    explanation: Explanation

    def present(self, finding: Finding) -> bool:
        """Whether a finding is present: by the film's label where there is one, else by the model."""
        return bool(self.film.labels.get(finding.name, finding.present))


def explained_films(films: Iterable[CohortFilm], model: Classifier) -> Iterator[ExplainedFilm]:
    """Explains films, a few at a time.

    Args:
        films: Of a cohort.
        model: Of a head with a ledger.

    Raises:
        ModelError: The model's head has no ledger (code `no-ledger`).
    """
    rest = iter(films)
    while batch := list(islice(rest, BATCH)):
        radiographs = [film.radiograph for film in batch]
        zones = [film.zones or find_zones(film.radiograph) for film in batch]
        explanations = explain_batch(radiographs, model, zones=zones, allow_out_of_distribution=True)
        for film, places, explanation in zip(batch, zones, explanations, strict=True):
            _check_ledger(explanation)
            yield ExplainedFilm(film, places, explanation)


def _check_ledger(explanation: Explanation) -> None:
    for finding in explanation.findings:
        relation = finding.map.relation
        if relation is not None and not relation.ledger:
            raise ModelError(
                f"{explanation.model.name} has no ledger of evidence: the logit is {relation.words}",
                code="no-ledger",
                next_step="Use a model with a GAP or PCAM head.",
            )
