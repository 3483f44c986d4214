"""Are maps true to their model? Runs the tests of `medcam.evaluate.faithfulness` over films and methods."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from medcam.cam.methods.attribute import attribute
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import method_card, method_names
from medcam.core.errors import ModelError, UsageError
from medcam.evaluate.faithfulness.grid import cell_means
from medcam.evaluate.faithfulness.record import CurveRow, FaithfulnessRecord, LedgerRow, LinearRow
from medcam.evaluate.patient_mean import patient_mean, patient_slope
from medcam.models.registry import load_model
from medcam.service.atomic import write_text
from medcam.service.evaluation.erased import BLUR, HEALTHY, LINEAR, MEAN
from medcam.service.evaluation.faithful_looks import CELLS, FINDING, SIZES, TOP_TENTH, Cells, Look, look
from medcam.service.evaluation.judged_films import PHANTOMS, JudgedFilm, judged_films
from medcam.service.explanations.software import software_versions
from medcam.service.output_errors import writing

FILLS = (MEAN, BLUR, LINEAR, HEALTHY)
RANDOM, CENTRE = "random", "centre"
FILMS = 24
_FEWEST = 10
"""Films of one finding from which it gets rows of its own."""


def evaluate_faithfulness(
    model: str | Path,
    data: str | Path = PHANTOMS,
    *,
    methods: Sequence[str] = (),
    fills: Sequence[str] = (),
    films: int = FILMS,
    seed: int = 0,
    engine: str | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> FaithfulnessRecord:
    """Judges the maps of a model by erasing what they name.

    Args:
        model: Name or folder.
        data: A labelled folder, or `PHANTOMS`, where healthy tissue is known.
        methods: Names of the registry; all where none is given.
        fills: Of `FILLS`; all that the films have where none is given.
        films: Most films; each is judged for one finding that is there.
        seed: Of phantoms, controls and subsets.
        engine: That scores; maps come from torch. None for torch.
        progress: Called with (films done, films in all).

    Raises:
        UsageError: There is no such method, fill-in or engine, or there are no films.
        ModelError: There is no such model.
    """
    unknown = set(fills) - set(FILLS)
    if unknown:
        raise UsageError(f"there is no fill-in {sorted(unknown)[0]!r}", next_step=f"Choose from {', '.join(FILLS)}.")
    names = tuple(method_card(name).name for name in methods) or method_names()
    loaded = load_model(model, engine)
    network = loaded.gradient_model()
    skipped: dict[str, str] = {}
    looks: list[Look] = []
    for film in judged_films(loaded, data, films, seed, skipped):
        maps = dict(_maps(network, film, [name for name in names if name not in skipped], skipped))
        looks.append(look(loaded, film, maps | _controls(film, seed), tuple(fills) or None, seed))
        progress(len(looks), films)
    card = loaded.card
    return FaithfulnessRecord(
        model=card.name,
        weights_sha256=card.weights_sha256,
        data=str(data) if str(data) == PHANTOMS else Path(data).resolve().name,
        films=len(looks),
        patients=len({each.patient for each in looks}),
        exact=str(data) == PHANTOMS,
        cells=CELLS,
        curves=tuple(_curves(looks)),
        linear=tuple(_linear(looks)),
        ledger=tuple(_ledger(looks)),
        engine=f"{loaded.engine.name}:{loaded.engine.precision}",
        seed=seed,
        notes=tuple(loaded.engine_warnings),
        skipped=skipped,
        software=dict(software_versions()),
    )


def write_faithfulness(record: FaithfulnessRecord, path: Path) -> None:
    """Writes a record as JSON, whole or not at all; raises OutputError where the disk refuses it."""
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, record.to_json())


def _maps(
    network: GradientModel, film: JudgedFilm, names: Sequence[str], skipped: MutableMapping[str, str]
) -> Iterator[tuple[str, Cells]]:
    for name in names:
        try:
            made = attribute(network, film.inputs[None], name, [film.finding])
        except ModelError as error:
            skipped[name] = error.code
        else:
            yield name, cell_means(made.values[0, 0], CELLS, CELLS)


def _controls(film: JudgedFilm, seed: int) -> dict[str, Cells]:
    middle = np.abs(np.arange(CELLS) + 0.5 - CELLS / 2.0)
    rng = np.random.default_rng([zlib.crc32(film.name.encode()), seed])
    return {RANDOM: rng.random((CELLS, CELLS)), CENTRE: -np.hypot(middle[:, None], middle[None, :])}


def is_control(method: str) -> bool:
    """Whether a row's method is there to be beaten."""
    return method in (RANDOM, CENTRE) or method_card(method).control


def _curves(looks: Sequence[Look]) -> Iterator[CurveRow]:
    findings = [each.finding for each in looks]
    shown = ["", *sorted(name for name in set(findings) if findings.count(name) >= _FEWEST)]
    pairs = list(dict.fromkeys(pair for each in looks for pair in each.areas))
    for finding, (method, fill) in product(shown, pairs):
        own = [each for each in looks if finding in ("", each.finding) and (method, fill) in each.areas]
        people = [each.patient for each in own]

        def difference(name: str, own: list[Look] = own, fill: str = fill) -> list[float]:
            return [each.areas[name, fill].insertion - each.areas[name, fill].deletion for each in own]

        gained = difference(method)
        yield CurveRow(
            method,
            is_control(method),
            finding,
            fill,
            len(own),
            len(set(people)),
            deletion=patient_mean([each.areas[method, fill].deletion for each in own], people),
            insertion=patient_mean([each.areas[method, fill].insertion for each in own], people),
            difference=patient_mean(gained, people),
            beyond_random=patient_mean(np.subtract(gained, difference(RANDOM)).tolist(), people),
            beyond_centre=patient_mean(np.subtract(gained, difference(CENTRE)).tolist(), people),
        )


def _linear(looks: Sequence[Look]) -> Iterator[LinearRow]:
    for method in dict.fromkeys(name for each in looks for name in each.infidelity):
        own = [each for each in looks if method in each.infidelity]
        people = [each.patient for each in own]
        yield LinearRow(
            method,
            is_control(method),
            len(own),
            len(set(people)),
            {str(n): patient_mean([each.sensitivity[method, n] for each in own], people) for n in SIZES},
            patient_mean([each.infidelity[method] for each in own], people),
        )


def _ledger(looks: Sequence[Look]) -> Iterator[LedgerRow]:
    for region, fill in product((FINDING, TOP_TENTH), FILLS):
        own = [each for each in looks if (region, fill) in each.ledger]
        if not own:
            continue
        people = [each.patient for each in own]
        predicted = [each.ledger[region, fill].predicted for each in own]
        true = [each.ledger[region, fill].true for each in own]
        yield LedgerRow(
            region,
            fill,
            len(own),
            len(set(people)),
            patient_mean(predicted, people),
            patient_mean(true, people),
            patient_mean(np.abs(np.subtract(predicted, true)).tolist(), people),
            patient_slope(predicted, true, people),
        )
