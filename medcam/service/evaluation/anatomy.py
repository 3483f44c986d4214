"""Which anatomy drives which finding over a cohort, beside the anatomy that is expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from medcam.anatomy import MIN_QUALITY
from medcam.anatomy.structures import STRUCTURES, structures
from medcam.cam.evidence import evidence
from medcam.cam.shares import positive_part, positive_shares
from medcam.core.card import Interval
from medcam.core.finding import Finding, ZonesSource
from medcam.core.protocols import Classifier
from medcam.core.zones import OUTSIDE, ZONES, Zones
from medcam.evaluate.enrichment import PlaceFigures, place_figures
from medcam.evaluate.expected_anatomy import expected_anatomy
from medcam.evaluate.localisation import mean_interval
from medcam.models.registry import load_model
from medcam.overlay.chart import Bar, bar_chart
from medcam.service.atomic import write_text
from medcam.service.evaluation.cohort import Cohort, CohortFilm
from medcam.service.evaluation.explained_films import explained_films
from medcam.service.output_errors import writing

PLACES = (*ZONES, *STRUCTURES)


@dataclass(frozen=True, slots=True)
class FindingAnatomy:
    """Where the positive evidence of one finding lies.

    Args:
        n: Films counted.
        by_label: How many of them are counted by a label; the others by the model's own answer.
        silent: Films with the finding whose map has no positive cell; not counted.
        places: Per zone and structure; zones are disjoint and their shares sum to 1, structures overlap.
        expected: Places that the finding may lie in; empty where no table knows it.
        expected_words: The same for people.
        expected_source: Where that is written.
        expected_share: Share of the positive evidence in the expected places together; None without them.
    """

    n: int
    by_label: int
    silent: int
    places: Mapping[str, PlaceFigures]
    expected: tuple[str, ...] = ()
    expected_words: str = ""
    expected_source: str = ""
    expected_share: Interval | None = None


@dataclass(frozen=True, slots=True)
class AnatomyFigures:
    """The anatomy behind the findings of a cohort.

    Args:
        model: The model's name.
        weights_sha256: Digest of its weights.
        films: Films explained.
        patients: Patients among them.
        exact: Films whose zones are exact by construction.
        registered: Films whose zones were found by registration, well enough to be used.
        without_zones: Films left out because their zones are of poor quality.
        zones_quality: Mean quality of the zones used; None where there are none.
        minimum_quality: Zones of a lower quality are not used.
        skipped: Files that were passed over, with the code of the reason.
        findings: Per finding with at least one film.
    """

    model: str
    weights_sha256: str
    films: int
    patients: int
    exact: int
    registered: int
    without_zones: int
    zones_quality: float | None
    minimum_quality: float
    skipped: Mapping[str, str]
    findings: Mapping[str, FindingAnatomy]

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(eq=False)
class _Tally:
    """What is gathered for one finding, a row per film."""

    shares: list[list[float]] = field(default_factory=list)
    areas: list[list[float]] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    by_label: int = 0
    silent: int = 0


def evaluate_anatomy(
    folder: Path | str, model: str | Path = "phantom", *, progress: Callable[[int, int], None] = lambda *_: None
) -> AnatomyFigures:
    """Where the evidence of each finding lies, over the films of a folder on which it is present.

    A finding is present by the film's label where there is one, else by the model. Every film counts the same.

    Args:
        folder: See `Cohort`.
        model: Name or folder of a model.
        progress: Called with (films done, films in all).

    Raises:
        UsageError: The folder is no cohort.
        ModelError: There is no such model, or its head has no ledger.
    """
    cohort = Cohort(Path(folder))

    def told() -> Iterable[CohortFilm]:
        for done, film in enumerate(cohort, start=1):
            yield film
            progress(done, len(cohort))

    return anatomy_of(told(), load_model(model), cohort.skipped)


def anatomy_of(
    films: Iterable[CohortFilm], model: Classifier, skipped: Mapping[str, str] | None = None
) -> AnatomyFigures:
    """The figures of films in hand; see `evaluate_anatomy`."""
    tallies = {name: _Tally() for name in model.card.finding_names}
    qualities: list[float] = []
    patients: set[str] = set()
    count = exact = 0
    for one in explained_films(films, model):
        count += 1
        patients.add(one.film.patient)
        if one.zones.quality < MIN_QUALITY:
            continue
        qualities.append(one.zones.quality)
        exact += one.zones.source is ZonesSource.PHANTOM
        areas = _areas(one.zones)
        for finding in one.explanation.findings:
            if one.present(finding):
                tally = tallies[finding.name]
                tally.by_label += finding.name in one.film.labels
                _add(tally, finding, one.zones, areas, one.film.patient)
    return AnatomyFigures(
        model=model.card.name,
        weights_sha256=model.card.weights_sha256,
        films=count,
        patients=len(patients),
        exact=exact,
        registered=len(qualities) - exact,
        without_zones=count - len(qualities),
        zones_quality=float(np.mean(qualities)) if qualities else None,
        minimum_quality=MIN_QUALITY,
        skipped=dict(skipped or {}),
        findings={name: _figures(name, tally) for name, tally in tallies.items() if tally.shares},
    )


def _areas(zones: Zones) -> list[float]:
    """Share of the body's area per place; what lies outside the body has none."""
    body = ~zones.masks[OUTSIDE]
    total = max(1, int(body.sum()))
    masks = {**zones.masks, **structures(zones)}
    return [float((masks[name] & body).sum()) / total for name in PLACES]


def _add(tally: _Tally, finding: Finding, zones: Zones, areas: list[float], patient: str) -> None:
    ledger = evidence(positive_part(finding.map), zones)
    if ledger.total_positive <= 0.0 or ledger.zones is None:
        tally.silent += 1
        return
    parts = structures(zones)
    inside = positive_shares(finding.map, parts)
    by_zone = {name: max(0.0, value) / ledger.total_positive for name, value in ledger.zones.items()}
    shares = by_zone | inside
    anatomy = expected_anatomy(finding.name)
    if anatomy:
        masks = {**zones.masks, **parts}
        together = np.any([masks[name] for name in anatomy.places], axis=0)
        tally.expected.append(positive_shares(finding.map, {"": together})[""])
    tally.shares.append([shares[name] for name in PLACES])
    tally.areas.append(areas)
    tally.patients.append(patient)


def _figures(name: str, tally: _Tally) -> FindingAnatomy:
    places = dict(zip(PLACES, place_figures(tally.shares, tally.areas, tally.patients), strict=True))
    anatomy = expected_anatomy(name)
    common = FindingAnatomy(len(tally.shares), tally.by_label, tally.silent, places)
    if anatomy is None:
        return common
    groups = np.unique(np.asarray(tally.patients, dtype=str), return_inverse=True)[1]
    return FindingAnatomy(
        n=common.n,
        by_label=common.by_label,
        silent=common.silent,
        places=places,
        expected=anatomy.places,
        expected_words=anatomy.words,
        expected_source=anatomy.source,
        expected_share=mean_interval(tally.expected, groups),
    )


def write_chart(path: Path, figures: AnatomyFigures) -> None:
    """Writes `anatomy_chart` to a file.

    Raises:
        OutputError: The disk refuses it.
    """
    with writing():
        write_text(path, anatomy_chart(figures))


def anatomy_chart(figures: AnatomyFigures) -> str:
    """The enrichment of every zone and structure per finding, as an SVG document; expected places stand out."""
    charts = {}
    for name, finding in figures.findings.items():
        charts[f"{name} (n = {finding.n})"] = [
            Bar(place, row.enrichment.value, row.enrichment.low, row.enrichment.high, place in finding.expected)
            for place, row in finding.places.items()
            if row.enrichment is not None
        ]
    return bar_chart(
        charts,
        x_label="enrichment: share of the positive evidence / share of the body's area",
        reference=1.0,
        marked_label="expected anatomy",
    )
