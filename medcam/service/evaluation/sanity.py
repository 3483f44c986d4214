"""Do maps hang on what the model has learnt, and on nothing else? Runs the checks of `medcam.evaluate.sanity`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from medcam.cam.methods.attribute import attribute
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import method_card, method_names
from medcam.core.arrays import FloatArray
from medcam.core.errors import ModelError, UsageError
from medcam.evaluate.faithfulness.grid import cell_means
from medcam.evaluate.patient_mean import patient_mean
from medcam.evaluate.sanity.record import SanityRecord, SanityRow
from medcam.evaluate.sanity.rule import (
    ALIKE,
    DECIDES,
    KEEP,
    LOSE,
    RULE,
    answers_alike,
    threshold,
    unrelated_similarity,
    verdict,
)
from medcam.evaluate.sanity.similarity import MEASURES
from medcam.models.loaded import LoadedModel
from medcam.models.randomise import deciding_head, layers_from_output, random_weights
from medcam.models.registry import load_model
from medcam.service.atomic import write_text
from medcam.service.evaluation.judged_films import PHANTOMS, JudgedFilm, judged_films
from medcam.service.evaluation.sanity_changes import CHANGES, GRID, Maps
from medcam.service.explanations.software import software_versions
from medcam.service.output_errors import writing

FILMS = 24
CASCADE, LAYER, LABELS, MODELS = "cascading randomisation", "layer randomisation", "label randomisation", "two models"
STAGES = 6
"""Most groups of layers that are made random one after the other."""


@dataclass(frozen=True, eq=False)
class _Other:
    """A network in the model's place: another one, or the model's with some layers made random."""

    test: str
    detail: str
    decides: bool
    network: GradientModel
    findings: Sequence[int]
    layers: Sequence[str] = ()


@dataclass(eq=False)
class _Bench:
    """Films, one finding each, and the similarity of their maps under changes."""

    model: LoadedModel
    films: Sequence[JudgedFilm]
    seed: int
    rows: list[SanityRow] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    progress: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self.inputs = np.stack([film.inputs for film in self.films])
        self.patients = [film.patient for film in self.films]
        self.findings = [film.finding for film in self.films]

    def maps(self, network: GradientModel, inputs: FloatArray, findings: Sequence[int], method: str) -> Maps:
        """[n, GRID, GRID]: of each film the map of its finding."""
        found = np.zeros((len(inputs), GRID, GRID))
        for finding in sorted(set(findings)):
            own = [place for place, each in enumerate(findings) if each == finding]
            found[own] = cell_means(attribute(network, inputs[own], method, [finding]).values[:, 0], GRID, GRID)
        return found

    def judge(self, method: str, others: Sequence[_Other]) -> None:
        """All tests of one method."""
        own = self.maps(self.model.gradient_model(), self.inputs, self.findings, method)
        nulls = {measure: unrelated_similarity(own, measure, self.seed) for measure in MEASURES}
        for other in others:
            must = KEEP if other.test == MODELS else LOSE
            try:
                with random_weights(other.network.network, other.layers, self.seed):
                    maps = self.maps(other.network, self.inputs, other.findings, method)
            except ModelError as error:
                self.skipped[f"{method}, {other.test}, {other.detail}"] = error.code
                continue
            self._add(method, other.test, other.detail, other.decides, must, own, maps, nulls)
        for change in CHANGES:
            maps = self.maps(self.model.gradient_model(), change.inputs(self.inputs, self.seed), self.findings, method)
            self._add(method, change.test, change.detail, change.decides, KEEP, change.expected(own), maps, nulls)

    def _add(
        self,
        method: str,
        test: str,
        detail: str,
        decides: bool,
        must: str,
        own: Maps,
        maps: Maps,
        nulls: dict[str, float],
    ) -> None:
        for measure, alike in MEASURES.items():
            values = [alike(first, second) for first, second in zip(own, maps, strict=True)]
            figure = patient_mean(values, self.patients, self.seed)
            limit = threshold(must, nulls[measure])
            self.rows.append(
                SanityRow(
                    method,
                    method_card(method).control,
                    test,
                    detail,
                    measure,
                    must,
                    len(self.films),
                    len(set(self.patients)),
                    figure,
                    nulls[measure],
                    limit,
                    decides and measure == DECIDES,
                    verdict(must, figure, limit),
                )
            )
        self.progress(f"{method}: {test}, {detail}")


def evaluate_sanity(
    model: str | Path,
    data: str | Path = PHANTOMS,
    *,
    methods: Sequence[str] = (),
    second: str | Path | None = None,
    shuffled: str | Path | None = None,
    films: int = FILMS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> SanityRecord:
    """Judges the maps of a model by what must change them and what must not. All in torch: weights are changed.

    Args:
        model: Name or folder, of a model with a pooling head.
        data: A labelled folder, or `PHANTOMS`.
        methods: Names of the registry; all where none is given.
        second: The same kind of model from another seed; without it the test "two models" is not made. It counts
            where the two answer alike (`medcam.evaluate.sanity.rule.ALIKE`).
        shuffled: The same kind of model learnt from shuffled labels; without it "label randomisation" is not made.
        films: Most films, each judged for one finding that is there.
        seed: Of phantoms, noise and random weights.
        progress: Called with what is done.

    Raises:
        UsageError: There is no such method, there are no films, or another model takes other input or has no finding
            of that name (code `models-not-alike`).
        ModelError: There is no such model, or its network cannot be cut at its head (code "cam-method").
    """
    names = tuple(method_card(name).name for name in methods) or method_names()
    loaded = load_model(model)
    skipped: dict[str, str] = {}
    bench = _Bench(loaded, list(judged_films(loaded, data, films, seed, skipped)), seed, progress=progress)
    if len(bench.films) < 2:
        raise UsageError("sanity checks compare at least two films", code="no-films-to-judge")
    others = [*_randomised(bench), *_given(bench, second, shuffled)]
    for name in names:
        try:
            bench.judge(name, others)
        except ModelError as error:
            skipped[name] = error.code
    notes = bench.notes + [
        f"the test of {test} was not made: no such model was given"
        for test, given in ((MODELS, second), (LABELS, shuffled))
        if given is None
    ]
    return SanityRecord(
        model=loaded.card.name,
        weights_sha256=loaded.card.weights_sha256,
        data=str(data) if str(data) == PHANTOMS else Path(data).resolve().name,
        films=len(bench.films),
        patients=len(set(bench.patients)),
        rule=RULE,
        rows=tuple(bench.rows),
        seed=seed,
        notes=tuple(notes),
        skipped=skipped | bench.skipped,
        software=dict(software_versions()),
    )


def write_sanity(record: SanityRecord, path: Path) -> None:
    """Writes a record as JSON, whole or not at all; raises OutputError where the disk refuses it."""
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, record.to_json())


def _randomised(bench: _Bench) -> Iterator[_Other]:
    """The network with random weights: from the output down, and each group of layers alone."""
    network = bench.model.gradient_model()
    layers = layers_from_output(network.network, torch.from_numpy(bench.inputs[:1]))
    head = deciding_head(network.network, layers)
    below = layers[head:]
    groups = [list(group) for group in np.array_split(np.array(below), max(1, min(STAGES - 1, len(below))))]
    stages: list[list[str]] = [layers[:head], *(group for group in groups if group)]
    done: list[str] = []
    for place, group in enumerate(stages):
        done = [*done, *group]
        last = place == len(stages) - 1
        yield _Other(CASCADE, f"down to {group[-1]}", last, network, bench.findings, done)
        # The head alone decides: below it a network keeps much that is not learnt, such as where the body lies.
        yield _Other(LAYER, _span(group), place == 0, network, bench.findings, group)


def _span(group: Sequence[str]) -> str:
    return group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}"


def _given(bench: _Bench, second: str | Path | None, shuffled: str | Path | None) -> Iterator[_Other]:
    names = bench.model.card.finding_names
    for test, given in ((MODELS, second), (LABELS, shuffled)):
        if given is None:
            continue
        other = load_model(given)
        missing = {names[finding] for finding in bench.findings} - set(other.card.finding_names)
        if missing or other.card.input != bench.model.card.input:
            raise UsageError(
                f"{other.card.name} and {bench.model.card.name} do not take the same input and know the same findings",
                code="models-not-alike",
                next_step="Give a model that was trained the same way, from another seed or on shuffled labels.",
            )
        places = [other.card.finding_names.index(names[finding]) for finding in bench.findings]
        decides = test != MODELS or _alike(bench, other)
        yield _Other(test, other.card.name, decides, other.gradient_model(), places)


def _alike(bench: _Bench, other: LoadedModel) -> bool:
    """Whether a second model answers as the first does; a note says how far."""
    common = [name for name in bench.model.card.finding_names if name in other.card.finding_names]
    first, second = (
        model.predict(bench.inputs).logits[:, [model.card.finding_names.index(name) for name in common]]
        for model in (bench.model, other)
    )
    found = answers_alike(first, second)
    counts = "" if found >= ALIKE else f": under {ALIKE:g}, so that the test of {MODELS} does not count"
    bench.notes.append(f"the logits of {other.card.name} and {bench.model.card.name} correlate by {found:.2f}{counts}")
    return found >= ALIKE
