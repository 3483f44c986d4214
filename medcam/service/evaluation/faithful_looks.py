"""Looks at films one by one: what erasing does to the score, by every method's order of cells."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.core.protocols import Classifier
from medcam.evaluate.faithfulness.curves import SHARES, area_under, erased_cells, ranked
from medcam.evaluate.faithfulness.grid import cell_means, pixels_of
from medcam.evaluate.faithfulness.linear import random_squares, random_subsets, scaled_infidelity, sensitivity_n
from medcam.service.evaluation.erased import MEAN, Eraser, logits_of, probability
from medcam.service.evaluation.judged_films import JudgedFilm

CELLS = 16
SIZES = (4, 16, 64)
"""Of sensitivity-n, in cells of 256."""
SUBSETS = 24
LARGEST_SQUARE = 6
TOP = 0.1
FINDING, TOP_TENTH = "finding", "top tenth"

Cells = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Areas:
    """Of one film, method and fill-in."""

    deletion: float
    insertion: float


@dataclass(frozen=True, slots=True)
class Changed:
    """Of the logit, by erasing one region with one fill-in: as the ledger predicts, and truly."""

    predicted: float
    true: float


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen on one film.

    Args:
        patient: The patient.
        finding: The finding's name.
        areas: By method and fill-in.
        sensitivity: By method and n.
        infidelity: By method.
        ledger: By region and fill-in.
    """

    patient: str
    finding: str
    areas: Mapping[tuple[str, str], Areas] = field(repr=False)
    sensitivity: Mapping[tuple[str, int], float] = field(repr=False)
    infidelity: Mapping[str, float] = field(repr=False)
    ledger: Mapping[tuple[str, str], Changed] = field(repr=False)


def look(
    model: Classifier, film: JudgedFilm, maps: Mapping[str, Cells], fills: tuple[str, ...] | None, seed: int
) -> Look:
    """Looks at one film.

    Args:
        model: The model; its engine scores.
        film: The film.
        maps: By method and control, [CELLS, CELLS] each.
        fills: The fill-ins; None for all that the film has.
        seed: Of ties, noise and subsets.
    """
    own = zlib.crc32(film.name.encode()) + seed
    eraser = Eraser(film, own)
    chosen = tuple(fill for fill in eraser.fills if fills is None or fill in fills)
    sums = _linear(model, film, eraser, maps, own)
    return Look(
        patient=film.patient,
        finding=model.card.finding_names[film.finding],
        areas=_areas(model, film, eraser, maps, chosen, own),
        sensitivity=sums[0],
        infidelity=sums[1],
        ledger=_ledger(model, film, eraser, chosen),
    )


def _areas(
    model: Classifier,
    film: JudgedFilm,
    eraser: Eraser,
    maps: Mapping[str, Cells],
    fills: tuple[str, ...],
    seed: int,
) -> dict[tuple[str, str], Areas]:
    orders = {name: ranked(values, seed=seed) for name, values in maps.items()}
    height, width = film.inputs.shape[1:]
    whole = np.ones((height, width), dtype=np.bool_)
    found: dict[tuple[str, str], Areas] = {}
    for fill in fills:
        ends = probability(logits_of(model, [film.inputs, eraser.without(whole, fill)], film.finding))
        known: dict[bytes, Areas] = {}
        for name, order in orders.items():
            # Several methods give one order of cells, on a head with finding units nearly all: scored once.
            key = order.tobytes()
            known[key] = known.get(key) or _of_order(model, film, eraser, order, fill, ends)
            found[name, fill] = known[key]
    return found


def _of_order(
    model: Classifier, film: JudgedFilm, eraser: Eraser, order: npt.NDArray[np.int64], fill: str, ends: Cells
) -> Areas:
    height, width = film.inputs.shape[1:]
    pictures = [
        eraser.without(pixels_of(erased_cells(way, (CELLS, CELLS), share), height, width), fill)
        for way in (order, order[::-1])
        for share in SHARES[1:-1]
    ]
    scores = probability(logits_of(model, pictures, film.finding)).reshape(2, -1)
    most, least = (area_under(SHARES, [ends[0], *row, ends[1]]) for row in scores)
    return Areas(most, least)


def _linear(
    model: Classifier, film: JudgedFilm, eraser: Eraser, maps: Mapping[str, Cells], seed: int
) -> tuple[dict[tuple[str, int], float], dict[str, float]]:
    """Sensitivity-n and infidelity of all maps: the same subsets for all, erased with the film's mean."""
    rng, shape = np.random.default_rng(seed), (CELLS, CELLS)
    height, width = film.inputs.shape[1:]
    groups = [random_subsets(shape, size, SUBSETS, rng) for size in SIZES]
    groups.append(random_squares(shape, LARGEST_SQUARE, 2 * SUBSETS, rng))
    pictures = [eraser.without(pixels_of(mask, height, width), MEAN) for group in groups for mask in group]
    logits = logits_of(model, [film.inputs, *pictures], film.finding)
    drops = np.split(logits[0] - logits[1:], np.cumsum([len(group) for group in groups])[:-1])
    sensitivity = {
        (name, size): sensitivity_n(values, group, drop)
        for name, values in maps.items()
        for size, group, drop in zip(SIZES, groups[:-1], drops[:-1], strict=True)
    }
    return sensitivity, {name: scaled_infidelity(values, groups[-1], drops[-1]) for name, values in maps.items()}


def _ledger(
    model: Classifier, film: JudgedFilm, eraser: Eraser, fills: tuple[str, ...]
) -> dict[tuple[str, str], Changed]:
    """Predicted and true changes; none for heads whose maps do not add up."""
    prediction = model.predict(film.inputs[None])
    if not (prediction.has_maps and prediction.ledger):
        return {}
    values = prediction.maps[0, film.finding].astype(np.float64)
    before = float(prediction.logits[0, film.finding])
    weight = (before - float(prediction.biases[film.finding])) / float(values.sum()) if values.sum() else 0.0
    height, width = film.inputs.shape[1:]
    top = erased_cells(ranked(cell_means(values, CELLS, CELLS)), (CELLS, CELLS), TOP)
    masks = {TOP_TENTH: pixels_of(top, height, width)} | ({} if film.mask is None else {FINDING: film.mask})
    found = {}
    for region, mask in masks.items():
        predicted = -weight * float((values * cell_means(mask, *values.shape)).sum())
        after = logits_of(model, [eraser.without(mask, fill) for fill in fills], film.finding)
        for fill, logit in zip(fills, after, strict=True):
            found[region, fill] = Changed(predicted, float(logit) - before)
    return found
