"""What was found on the faithfulness of maps: values that JSON can hold, and that reports read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from medcam.evaluate.agreement_figure import Figure
from medcam.evaluate.record_json import RecordFormat, figure_from, row_from

_FORMAT = RecordFormat("1", code="not-a-faithfulness-record", command="faithfulness --out FILE")
FILE_NAME = "faithfulness.json"


@dataclass(frozen=True, slots=True)
class CurveRow:
    """Deletion and insertion of one method with one fill-in.

    Args:
        method: Of the registry, or "random" or "centre", the controls.
        control: Whether it is a control: one of those two, or a method that is known to be bad.
        finding: Its name; "" for all findings together.
        fill: What stands in the place of erased cells: "mean", "blur", "noisy-linear" or "healthy".
        films: Films, each with one finding that is there.
        patients: Patients among them.
        deletion: Area under the probability while the most relevant cells are erased first; low is good.
        insertion: Area under the probability while the most relevant cells are put back first; high is good.
        difference: Insertion less deletion, which is LeRF less MoRF; with "noisy-linear" that is ROAD.
        beyond_random: Difference less that of a random map of the same film.
        beyond_centre: Difference less that of a map that falls off from the centre.
    """

    method: str
    control: bool
    finding: str
    fill: str
    films: int
    patients: int
    deletion: Figure
    insertion: Figure
    difference: Figure
    beyond_random: Figure
    beyond_centre: Figure


@dataclass(frozen=True, slots=True)
class LinearRow:
    """Whether values of a map add up to what erasing does to the logit, by one method.

    Args:
        method: As in `CurveRow`.
        control: As in `CurveRow`.
        films: Films.
        patients: Patients among them.
        sensitivity: Mean Pearson correlation by "n", the cells erased at a time (Ancona et al. 2018).
        infidelity: Mean squared error at the best scale, as a share of what a map of zeros has: 0 to 1.
    """

    method: str
    control: bool
    films: int
    patients: int
    sensitivity: Mapping[str, Figure]
    infidelity: Figure


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The change of the logit that the ledger predicts, against the true one, in logit units.

    Args:
        region: What is erased: "finding" (its true mask) or "top tenth" (the cells with most evidence).
        fill: As in `CurveRow`.
        films: Films.
        patients: Patients among them.
        predicted: Mean change that the ledger predicts: less what the erased cells give to the logit.
        true: Mean true change.
        error: Mean absolute difference of the two, film by film.
        slope: Least-squares slope through 0 of the true change on the predicted one; 1 where the ledger is right.
    """

    region: str
    fill: str
    films: int
    patients: int
    predicted: Figure
    true: Figure
    error: Figure
    slope: Figure


@dataclass(frozen=True, slots=True)
class FaithfulnessRecord:
    """All that `medcam evaluate faithfulness` found.

    Path convention: `--out FILE` as given; the audit report looks for `faithfulness.json` in its results folder.

    Args:
        model: The model's name.
        weights_sha256: Digest of its weights.
        data: Name of the folder, or "phantoms".
        films: Films judged.
        patients: Patients among them.
        exact: Whether healthy tissue is known: only on phantoms made for it.
        cells: Cells along a side of the input that are erased at a time.
        curves: By method, finding and fill.
        linear: By method.
        ledger: By region and fill; empty for heads without a ledger.
        engine: What computed the scores.
        seed: Of phantoms, controls and subsets.
        notes: What readers must know.
        skipped: Methods or films that were passed over, with the code of the reason.
        software: Versions.
    """

    model: str
    weights_sha256: str
    data: str
    films: int
    patients: int
    exact: bool
    cells: int
    curves: tuple[CurveRow, ...]
    linear: tuple[LinearRow, ...]
    ledger: tuple[LedgerRow, ...]
    engine: str = ""
    seed: int = 0
    notes: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)

    def overall(self, fill: str) -> tuple[CurveRow, ...]:
        """Rows of all findings together with one fill-in, best difference first."""
        own = [row for row in self.curves if row.fill == fill and not row.finding]
        return tuple(sorted(own, key=lambda row: -(row.difference.value or 0.0)))

    def to_json(self) -> str:
        """As text, with the schema's version."""
        return _FORMAT.to_json(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> FaithfulnessRecord:
        """The record of what `to_json` gave.

        Raises:
            UsageError: It is none, or of another version (code `not-a-faithfulness-record`).
        """
        return _FORMAT.from_json(text, cls._read)

    @classmethod
    def _read(cls, values: dict[str, Any]) -> FaithfulnessRecord:
        areas = dict.fromkeys(("deletion", "insertion", "difference", "beyond_random", "beyond_centre"), figure_from)
        changes = dict.fromkeys(("predicted", "true", "error", "slope"), figure_from)
        return row_from(
            cls,
            values,
            curves=lambda rows: tuple(row_from(CurveRow, row, **areas) for row in rows),
            linear=lambda rows: tuple(
                row_from(LinearRow, row, infidelity=figure_from, sensitivity=_figures) for row in rows
            ),
            ledger=lambda rows: tuple(row_from(LedgerRow, row, **changes) for row in rows),
            notes=tuple,
        )


def _figures(values: Mapping[str, Any]) -> dict[str, Figure]:
    return {name: figure_from(value) for name, value in values.items()}
