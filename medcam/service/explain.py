"""The story that the project tells: a radiograph goes in, its findings and what drove them come out.

file -> Radiograph -> model input -> Prediction -> ActivationMap -> Finding (regions, evidence) -> Explanation
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from medcam.anatomy import MIN_QUALITY, find_zones
from medcam.cam.evidence import evidence
from medcam.cam.exact import check_ledger
from medcam.cam.regions import regions
from medcam.core.activation import ActivationMap
from medcam.core.arrays import FloatArray
from medcam.core.card import PAPER_RULE, FindingCard
from medcam.core.errors import InvalidValueError, UsageError
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Finding
from medcam.core.protocols import Classifier, ModelInput, OnEngine
from medcam.core.radiograph import Radiograph
from medcam.core.zones import Zones
from medcam.dicom import Answer, frontal_chest
from medcam.models.cards import DEFAULT_MODEL
from medcam.models.engines.choose import with_engine
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model
from medcam.service.explanations.attribution import maps_by, method_warnings
from medcam.service.explanations.explained import ExplainedRadiograph
from medcam.service.explanations.method_choice import chosen_method
from medcam.service.explanations.software import software_versions
from medcam.service.explanations.strangeness import judge, strangeness_warning
from medcam.service.film_source import FilmSource, to_radiograph

REGION_SIDE = 256
"""Pixels along the film's longer side on which regions are found: a quarter of the time of 512, and still eight to a
cell of a map of 32 x 32."""


def explain(
    source: FilmSource,
    model: str | Path | Classifier = DEFAULT_MODEL,
    *,
    method: str | None = None,
    engine: str | None = None,
    zones: Zones | None = None,
    allow_out_of_distribution: bool = False,
) -> ExplainedRadiograph:
    """Explains one chest radiograph. Research use. Not a medical device.

    Args:
        source: Path of a DICOM file, a pydicom data set, a radiograph, or a grey array [height, width] in which denser
            is brighter.
        model: Name or folder of a model, or a loaded one: load it once for many films.
        method: Attribution method, a name that `medcam models methods` lists, such as "grad-cam". None for the exact
            class activation map, or "hirescam" for a network whose tail makes none.
        engine: What computes the maps: "auto", "torch" or "openvino", see `medcam.load_model`. None for torch in fp32,
            or for the engine that a loaded model is on.
        zones: Where the anatomy lies, where that is known; found by registration otherwise.
        allow_out_of_distribution: Whether findings of a film that is unlike the training films are still called
            present or absent, in spite of the warning.

    Returns:
        The explanation, which can draw and save itself.

    Raises:
        InputError: The film cannot be read; the code says why.
        InvalidValueError: The array is not a finite [height, width].
        UsageError: Source, model, method or engine is none of the above, or the model is one that takes no engine.
        ModelError: There is no such model, its maps do not add up to its scores, or the method does not fit it.
    """
    radiograph = to_radiograph(source)
    classifier = _classifier(model, engine)
    [explanation] = explain_batch(
        [radiograph], classifier, method=method, zones=[zones], allow_out_of_distribution=allow_out_of_distribution
    )
    return ExplainedRadiograph.of(explanation, radiograph, classifier.card)


def explain_batch(
    radiographs: Sequence[Radiograph],
    classifier: Classifier,
    *,
    method: str | None = None,
    zones: Sequence[Zones | None] | None = None,
    allow_out_of_distribution: bool = False,
) -> list[Explanation]:
    """Explains several radiographs with one forward pass; arguments and errors as in `explain`.

    Args:
        radiographs: The films.
        classifier: The model.
        method: As in `explain`; any other than the exact one needs more passes.
        zones: Known zones per film; None for a film whose zones are to be found by registration.
        allow_out_of_distribution: As in `explain`.

    Returns:
        One explanation per film, in order.
    """
    chosen = chosen_method(method, classifier.card)
    known: Sequence[Zones | None] = [None] * len(radiographs) if zones is None else zones
    if len(known) != len(radiographs):
        raise InvalidValueError(f"{len(radiographs)} films need as many zones, not {len(known)}")
    ready = [make_ready(radiograph, classifier) for radiograph in radiographs]
    replies = ask(ready, classifier, chosen)
    places = (film_zones or find_zones(film) for film, film_zones in zip(radiographs, known, strict=True))
    return [
        tell(film, reply, film_zones, classifier, allow_out_of_distribution=allow_out_of_distribution)
        for film, reply, film_zones in zip(ready, replies, places, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Ready:
    """All that the model and the explanation need of a film; its pixels, a thousand times as many, may be let go.

    Args:
        source: Which film.
        model_input: What the model sees.
        warnings: About the film itself.
    """

    source: Source
    model_input: ModelInput
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Reply:
    """What the model says to one film: a map and a logit per finding, how strange the film is, its pooled features."""

    maps: Sequence[ActivationMap]
    logits: FloatArray = field(repr=False)
    ood: OutOfDistribution
    features: FloatArray = field(repr=False)


def make_ready(radiograph: Radiograph, classifier: Classifier) -> Ready:
    """The first of three steps of `explain_batch`: all that needs full pixels."""
    source = Source(radiograph.identity, radiograph.height, radiograph.width, radiograph.sha256, radiograph.view.value)
    warnings = (*_chest_warning(radiograph), *radiograph.warnings)
    return Ready(source, classifier.prepare(radiograph), warnings)


def ask(films: Sequence[Ready], classifier: Classifier, method: str) -> list[Reply]:
    """The second: one forward pass for all films, and more for methods other than the exact one.

    Args:
        films: What it is asked about.
        classifier: The model.
        method: From `chosen_method`.
    """
    if not films:
        return []
    inputs = np.stack([film.model_input.values for film in films])
    prediction = classifier.predict(inputs)
    maps = maps_by(method, classifier, inputs, prediction, [film.model_input.transform for film in films])
    strange = judge(classifier, inputs, prediction)
    features = prediction.features if prediction.pooled is None else prediction.pooled
    return [Reply(*one) for one in zip(maps, prediction.logits, strange, features, strict=True)]


def tell(
    film: Ready, reply: Reply, zones: Zones, classifier: Classifier, *, allow_out_of_distribution: bool = False
) -> Explanation:
    """The last: findings with their regions and ledgers.

    Args:
        film: The film.
        reply: What the model says to it.
        zones: Where its anatomy lies.
        classifier: The model.
        allow_out_of_distribution: As in `explain`.
    """
    withheld = reply.ood.flagged and not allow_out_of_distribution
    findings = tuple(
        _finding(activation, card, float(logit), zones, withheld)
        for activation, card, logit in zip(reply.maps, classifier.card.findings, reply.logits, strict=True)
    )
    return _explanation(film, classifier, findings, reply, withheld)


def _classifier(model: str | Path | Classifier, engine: str | None) -> Classifier:
    if isinstance(model, str | Path):
        return load_model(model, engine)
    if isinstance(model, LoadedModel) and engine is not None:
        return with_engine(model, engine)
    if isinstance(model, Classifier) and engine is None:
        return model
    if isinstance(model, Classifier):
        raise UsageError(
            f"{model.card.name} runs on an engine of its own",
            code="own-engine",
            next_step="Leave the engine out, or give a model of `medcam models list`.",
        )
    raise UsageError(
        f"{type(model).__name__} is no model", next_step="Give a model's name or folder, or what `load_model` returns."
    )


def _finding(activation: ActivationMap, card: FindingCard, logit: float, zones: Zones, withheld: bool) -> Finding:
    if activation.ledger:
        check_ledger(activation, logit)
        logit = float(np.float32(activation.ledger_total) + np.float32(activation.bias))
    probability = float(1.0 / (1.0 + np.exp(-np.clip(logit, -500.0, 500.0))))
    rules = dict.fromkeys((card.rule_for(activation.method), PAPER_RULE))
    return Finding(
        name=card.name,
        code=card.code,
        probability=probability,
        logit=logit,
        threshold=card.threshold,
        present=None if withheld else probability >= card.threshold,
        map=activation,
        evidence=evidence(activation, zones, minimum_quality=MIN_QUALITY) if activation.ledger else None,
        regions=regions(activation, *rules, resolution=REGION_SIDE),
    )


def _explanation(
    film: Ready, classifier: Classifier, findings: tuple[Finding, ...], reply: Reply, withheld: bool
) -> Explanation:
    card = classifier.card
    engine, told = (
        (classifier.engine, classifier.engine_warnings) if isinstance(classifier, OnEngine) else (Engine(), ())
    )
    return Explanation(
        source=film.source,
        model=ModelReference(card.name, card.version, card.weights_sha256),
        engine=engine,
        method=findings[0].map.method,
        findings=findings,
        out_of_distribution=reply.ood,
        warnings=(
            *strangeness_warning(reply.ood, withheld=withheld),
            *told,
            *method_warnings([finding.map for finding in findings], card),
            *film.warnings,
        ),
        software=software_versions(),
        created=datetime.now(UTC),
        features=reply.features,
    )


def _chest_warning(film: Radiograph) -> tuple[str, ...]:
    verdict = frontal_chest(film) if film.attributes else None
    if verdict is None or verdict.answer is Answer.YES:
        return ()
    if verdict.answer is Answer.UNDECIDED:
        return (f"{verdict.reason}: the file's attributes do not say that this is a frontal chest film",)
    return (f"{verdict.reason}, by the file's own attributes: the model is made for frontal chest films",)
