"""The units behind findings over a cohort: what they add, and the patches of films that excite them most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import ByteArray, FloatArray
from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.core.radiograph import Radiograph
from medcam.evaluate.units import UnitShare, unit_shares
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model
from medcam.models.units import UnitWeights, unit_maps, unit_weights
from medcam.overlay.patches import PatchRow, patch_sheet
from medcam.overlay.png import save_png
from medcam.service.evaluation.cohort import Cohort
from medcam.service.output_errors import writing

PATCH = 0.2
"""Side of a patch as a share of the film's longer side."""


@dataclass(frozen=True, slots=True)
class Excited:
    """Where a unit is most active on a film.

    Args:
        film: The film's name.
        x: Source pixels.
        y: Source pixels.
        activation: Of the cell.
        label: 1 or 0 where the finding is known to be there or not, else -1.
    """

    film: str
    x: float
    y: float
    activation: float
    label: int


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """One unit of one finding.

    Args:
        share: What it adds.
        excited: The films that excite it most, one place each.
    """

    share: UnitShare
    excited: tuple[Excited, ...]


@dataclass(frozen=True, slots=True)
class FindingUnits:
    """The units of one finding.

    Args:
        films: Films with the finding.
        without: Films without.
        score: Mean score over the films with it: bias + all contributions.
        bias: Its bias.
        units: Those that contribute most.
        covered: Share of the sum of positive contributions that these have.
    """

    films: int
    without: int
    score: float
    bias: float
    units: tuple[UnitFigures, ...]
    covered: float


@dataclass(frozen=True, slots=True)
class UnitsFigures:
    """The units of a model over a cohort.

    Args:
        model: The model's name.
        weights_sha256: Digest of its weights.
        layer: The layer whose channels the units are.
        units: How many there are.
        score: "logit", or "unit": see `medcam.models.units.UnitWeights`.
        films: Films looked at.
        findings: Per finding with at least one film.
        skipped: Files that were passed over, with the code of the reason.
    """

    model: str
    weights_sha256: str
    layer: str
    units: int
    score: str
    films: int
    findings: Mapping[str, FindingUnits]
    skipped: Mapping[str, str]

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(eq=False)
class _Seen:
    """What is gathered over films: each unit's mean, peak and place."""

    names: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    means: list[FloatArray] = field(default_factory=list)
    peaks: list[FloatArray] = field(default_factory=list)
    points: list[npt.NDArray[np.float64]] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)


def evaluate_units(
    folder: Path | str,
    model: str | Path = "phantom",
    *,
    units: int = 5,
    patches: int = 6,
    out: Path | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> UnitsFigures:
    """For each finding the units that contribute most, and what excites them.

    A finding is on a film by the film's label where there is one, else by the model. Findings of probes are left out.

    Args:
        folder: See `Cohort`.
        model: Name or folder of a model with a GAP head.
        units: Units per finding.
        patches: Films per unit.
        out: Where a picture per finding goes (`units-<finding>.png`); None draws none.
        progress: Called with (films done, films in all).

    Raises:
        UsageError: The folder is no cohort, or fewer than one unit or patch is asked for.
        ModelError: There is no such model, or its head is not GAP (code `no-ledger`).
        OutputError: A picture cannot be written.
    """
    if units < 1 or patches < 1:
        raise UsageError("at least one unit and one patch are needed")
    loaded, cohort = load_model(model), Cohort(Path(folder))
    weights = unit_weights(loaded)
    seen = _look(cohort, loaded, progress)
    findings = {
        name: found
        for number, name in enumerate(loaded.card.finding_names[: len(weights.biases)])
        if (found := _finding(number, weights, seen, units, patches)) is not None
    }
    if out is not None:
        _draw(findings, cohort, seen, weights, out)
    return UnitsFigures(
        model=loaded.card.name,
        weights_sha256=loaded.card.weights_sha256,
        layer=weights.layer,
        units=int(weights.weights.shape[1]),
        score=weights.score,
        films=len(seen.names),
        findings=findings,
        skipped=dict(cohort.skipped),
    )


def _look(cohort: Cohort, model: LoadedModel, progress: Callable[[int, int], None]) -> _Seen:
    seen = _Seen()
    names = [cohort.name(place) for place in range(len(cohort))]
    for done, film in enumerate(cohort, start=1):
        prepared = model.prepare(film.radiograph)
        inputs = prepared.values[None]
        maps, prediction = unit_maps(model, inputs)[0], model.predict(inputs)
        flat = maps.reshape(len(maps), -1)
        best = flat.argmax(axis=1)
        grid = prepared.transform.resize(*maps.shape[1:])
        cells = zip(best % maps.shape[2], best // maps.shape[2], strict=True)
        seen.names.append(film.name)
        seen.places.append(names.index(film.name))
        seen.means.append(flat.mean(axis=1))
        seen.peaks.append(flat.max(axis=1))
        seen.points.append(np.array([grid.to_source(column + 0.5, row + 0.5) for column, row in cells]))
        seen.labels.append(
            [
                film.labels.get(finding.name, int(probability >= finding.threshold))
                for finding, probability in zip(model.card.findings, prediction.probabilities[0], strict=True)
            ]
        )
        progress(done, len(cohort))
    return seen


def _finding(number: int, weights: UnitWeights, seen: _Seen, units: int, patches: int) -> FindingUnits | None:
    labels = np.array([row[number] for row in seen.labels])
    if not (labels == 1).any():
        return None
    shares = unit_shares(weights.weights[number], np.array(seen.means), labels)
    positive = sum(max(share.present, 0.0) for share in shares)
    chosen = shares[:units]
    bias = float(weights.biases[number])
    return FindingUnits(
        films=int((labels == 1).sum()),
        without=int((labels == 0).sum()),
        score=bias + sum(share.present for share in shares),
        bias=bias,
        units=tuple(UnitFigures(share, _excited(share.unit, seen, labels, patches)) for share in chosen),
        covered=sum(max(share.present, 0.0) for share in chosen) / positive if positive else 0.0,
    )


def _excited(unit: int, seen: _Seen, labels: npt.NDArray[np.int64], patches: int) -> tuple[Excited, ...]:
    peaks = np.array([row[unit] for row in seen.peaks])
    order = np.argsort(-peaks, kind="stable")[:patches]
    return tuple(
        Excited(
            film=seen.names[film],
            x=float(seen.points[film][unit][0]),
            y=float(seen.points[film][unit][1]),
            activation=float(peaks[film]),
            label=int(labels[film]),
        )
        for film in order
    )


def _draw(findings: Mapping[str, FindingUnits], cohort: Cohort, seen: _Seen, weights: UnitWeights, out: Path) -> None:
    where = dict(zip(seen.names, seen.places, strict=True))
    with writing():
        out.mkdir(parents=True, exist_ok=True)
    for name, found in findings.items():
        rows = []
        for unit in found.units:
            words = f"adds {unit.share.present:+.2f} with the finding, {unit.share.absent:+.2f} without"
            patches = tuple(_patch(cohort.film(where[each.film]).radiograph, each) for each in unit.excited)
            rows.append(PatchRow(f"unit {unit.share.unit}", words, patches))
        with writing():
            save_png(out / f"units-{slug(name)}.png", patch_sheet(f"{name}: units of {weights.layer}", rows))


def _patch(film: Radiograph, at: Excited) -> ByteArray:
    """The surroundings of a place, as displayed; black beyond the film's edge."""
    half = max(8, round(PATCH * max(film.height, film.width) / 2.0))
    padded = np.pad(film.display(), half)
    row, column = (min(max(round(value), 0), side) for value, side in ((at.y, film.height), (at.x, film.width)))
    return np.ascontiguousarray(padded[row : row + 2 * half, column : column + 2 * half])
