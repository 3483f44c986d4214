"""What a number of studies costs on a number of machines, from the measured cost of one film."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from medcam.core.errors import UsageError
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.pipeline.meter import ENGINE, OPEN, STAGES

JSON, OBJECTS = "json", "objects"
CPU, GPU = "cores alone", "the model on a GPU"
MACHINES = (1, 2, 4, 8, 16, 32, 64)
EFFICIENCY = {JSON: "pipeline-over-bound/json", OBJECTS: "pipeline-over-bound/objects"}
"""Figures of `medcam bench pipeline`: what a run reaches of the bound that the cost of its stages sets."""

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Archive:
    """What is to be annotated, and with what.

    Args:
        studies: How many.
        films: Frontal films of each.
        cores: Of each machine.
        price: Of a machine for an hour, in any currency; nan where it is not told.

    Raises:
        UsageError: One of them is not positive (code `sizing`).
    """

    studies: int = 1_000_000
    films: float = 1.0
    cores: int = 16
    price: float = math.nan

    def __post_init__(self) -> None:
        if self.studies < 1 or self.films <= 0 or self.cores < 1 or self.price <= 0:
            raise UsageError("studies, films, cores and price are positive", code="sizing")


@dataclass(frozen=True, slots=True)
class FilmCost:
    """What one film costs the cores.

    Args:
        stages: Processor seconds by the names of `STAGES`.
        efficiency: The share of the cores' time that a run was measured to make use of, up to 1.
        n: Rounds that the figures come from.
    """

    stages: Mapping[str, float]
    efficiency: float
    n: int

    def seconds(self, device: str) -> float:
        """Processor seconds of one film of a run on a cluster, in which every file is opened twice.

        Args:
            device: `CPU`, or `GPU`: then the time of the engine is taken off the cores, and the GPU's own is not in it.
        """
        spent = sum(self.stages.values()) + self.stages[OPEN]
        return spent - self.stages[ENGINE] if device == GPU else spent

    def machine_hours(self, archive: Archive, device: str) -> float:
        """Hours of one machine for a whole archive."""
        films = archive.studies * archive.films
        return films * self.seconds(device) / (self.efficiency * archive.cores) / _HOUR


def film_costs(figures: list[Figure]) -> dict[str, FilmCost]:
    """The cost of a film by what is written, from the figures of `medcam bench pipeline`.

    Raises:
        UsageError: Figures are missing (code `sizing`).
    """
    known = {one.name: one for one in figures}
    try:
        return {
            outputs: FilmCost(
                {stage: known[f"stage/{outputs}/{stage}"].value / 1e3 for stage in STAGES},
                min(1.0, known[EFFICIENCY[outputs]].value),
                known[EFFICIENCY[outputs]].n,
            )
            for outputs in (JSON, OBJECTS)
        }
    except KeyError as error:
        raise UsageError(
            f"the pipeline was not measured: there is no figure {error}",
            code="sizing",
            next_step="Measure it: leave --from out, or name a record of `medcam bench` that has the pipeline.",
        ) from error


def sizes(costs: Mapping[str, FilmCost], archive: Archive) -> list[Figure]:
    """The figures of `medcam bench sizing`: what a film costs, and an archive in machine-hours and by machines."""
    told = []
    for outputs, cost in costs.items():
        for device, name in ((CPU, "cpu"), (GPU, "gpu")):
            note = "" if device == CPU else "the cores' part; the GPU's own is not measured"
            hours = cost.machine_hours(archive, device)
            told.append(Figure(f"film/{outputs}/{name}", cost.seconds(device), "core-s", cost.n, note=note))
            told.append(Figure(f"archive/{outputs}/{name}", hours, "machine-h", cost.n, note=note))
            told += [
                Figure(f"archive/{outputs}/{name}/{machines}", hours / machines, "h", cost.n, note=note)
                for machines in MACHINES
            ]
    return told
