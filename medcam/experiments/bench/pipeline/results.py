"""What a measurement of the pipeline tells, and its figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.pipeline.long_run import LongRun
from medcam.experiments.bench.pipeline.meter import STAGES, Cost
from medcam.experiments.bench.pipeline.plan import PipelineSettings
from medcam.experiments.bench.statistics import Estimate, quantile

JSON, OBJECTS = "json", "json,sc,seg,sr"
ENGINE_TARGET, BOUND_TARGET, GROWTH_TARGET = 0.60, 0.80, 0.05


@dataclass(frozen=True, eq=False)
class Round:
    """One round of measurements beside one another.

    Args:
        costs: Of each stage for one film, by what is written and the stage's name.
        engine: Films a second of the model alone on inputs that lie in memory.
        runs: Films a second of whole runs, by what is written.
    """

    costs: Mapping[str, Mapping[str, Cost]] = field(repr=False)
    engine: float
    runs: Mapping[str, float]

    def bound(self, outputs: str, cores: int) -> float:
        """Films a second if all cores did nothing but the stages' own work."""
        return cores / sum(cost.processor for cost in self.costs[outputs].values())


@dataclass(frozen=True, eq=False)
class PipelineFigures:
    """All that was measured.

    Args:
        settings: How.
        machine: On what, as `machine()` tells it.
        cores: Of it that may be used.
        engine: Name and precision of what computed the maps.
        rounds: At least one.
        long: The long run.
    """

    settings: PipelineSettings
    machine: Mapping[str, str]
    cores: int
    engine: str
    rounds: Sequence[Round] = field(repr=False)
    long: LongRun = field(repr=False)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of `medcam bench --json`."""
        films = self.settings.round_films
        ratios = [one.runs[JSON] / one.engine for one in self.rounds]
        bounds = {
            outputs: [one.runs[outputs] / one.bound(outputs, self.cores) for one in self.rounds]
            for outputs in (JSON, OBJECTS)
        }
        told = [
            _figure(
                "pipeline-over-engine/json", ratios, "", ENGINE_TARGET, "films a second over those of the model alone"
            ),
            _figure(
                "pipeline-over-bound/json", bounds[JSON], "", None, "films a second over what the stages' cost allows"
            ),
            _figure("pipeline-over-bound/objects", bounds[OBJECTS], "", BOUND_TARGET, f"the same of {OBJECTS}"),
            _figure("engine/films", [one.engine for one in self.rounds], "films/s", None, self.engine),
            _figure("pipeline/json", [one.runs[JSON] for one in self.rounds], "films/s", None, f"{films} films a run"),
            _figure("pipeline/objects", [one.runs[OBJECTS] for one in self.rounds], "films/s", None, OBJECTS),
            *(
                _figure(
                    f"stage/{outputs_key}/{name}",
                    [1e3 * one.costs[outputs][name].processor for one in self.rounds],
                    "ms",
                    None,
                    "processor time of one film",
                )
                for outputs_key, outputs in (("json", JSON), ("objects", OBJECTS))
                for name in STAGES
            ),
            *(
                Figure(f"time-per-file/{count}", self.long.seconds_per_file(count), "s", 1)
                for count in self.settings.counts
            ),
            *(_memory(count, self.long) for count in self.settings.counts),
            self._growth(),
            self._slowing(),
        ]
        return tuple(told)

    def cost(self, outputs: str, stage: str) -> tuple[float, float]:
        """Median milliseconds of one film in a stage: of the processor, and by the clock."""
        costs = [one.costs[outputs][stage] for one in self.rounds]
        return (
            1e3 * quantile([[cost.processor] for cost in costs], 0.5).value,
            1e3 * quantile([[cost.wall] for cost in costs], 0.5).value,
        )

    def _growth(self) -> Figure:
        known = math.isfinite(self.long.growth)
        note = "from 10 % to 100 % of the run" if known else "too few films, or the system does not tell memory"
        return Figure("rss-growth", self.long.growth, "", int(known), GROWTH_TARGET, note=note)

    def _slowing(self) -> Figure:
        found = self.long.slowing
        note = "time per file, from 10 % to 100 % of the run" if found.n else "too few films"
        return Figure("time-growth", found.value, "", found.n, GROWTH_TARGET, found.low, found.high, note)


def _figure(name: str, values: Sequence[float], unit: str, baseline: float | None, note: str) -> Figure:
    found: Estimate = quantile([[value] for value in values], 0.5)
    low, high = (found.low, found.high) if found.n > 1 else (math.nan, math.nan)
    return Figure(name, found.value, unit, found.n, baseline, low, high, note)


def _memory(count: int, run: LongRun) -> Figure:
    value = run.memory_at(count)
    return Figure(f"rss/{count}", value, "MiB", int(math.isfinite(value)))
