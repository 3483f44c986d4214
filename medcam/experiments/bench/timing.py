"""Times ways of doing something beside one another, in turns, so that what else the machine does meets all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from medcam.experiments.bench.statistics import Estimate, quantile

Pass = Callable[[], object]


@dataclass(slots=True)
class Timed:
    """Pairs of passes: the base, and right behind it the way itself; seconds each.

    Args:
        base: Of the base by the clock.
        wall: Of the way by the clock.
        base_processor: Of the base on all cores together.
        processor: The same of the way.
        error: Why there are no more; empty where nothing went wrong.
    """

    base: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    base_processor: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    error: str = ""

    @property
    def spent(self) -> float:
        """Seconds taken so far."""
        return sum(self.base) + sum(self.wall)

    @property
    def slower(self) -> Estimate:
        """Median of the pairs' ratios, way over base, by the clock, with its 95 % interval."""
        return _ratio(self.wall, self.base)

    @property
    def faster(self) -> Estimate:
        """Median of the pairs' ratios, base over way, by the clock, with its 95 % interval."""
        return _ratio(self.base, self.wall)

    @property
    def slower_processor(self) -> Estimate:
        """As `slower`, by the time of the processor."""
        return _ratio(self.processor, self.base_processor)


def take_turns(
    base: Pass, ways: Mapping[str, Pass], *, rounds: int, seconds: float, longer: Mapping[str, float] | None = None
) -> dict[str, Timed]:
    """Times each way right behind the base, round after round.

    Args:
        base: What all are set beside.
        ways: By name; one that raises is left out from then on, and its error kept.
        rounds: Most rounds.
        seconds: A way that has taken this long, its bases included, is finished; each has one round at least.
        longer: Other times for some ways.
    """
    timed, allowed = {name: Timed() for name in ways}, longer or {}
    for _ in range(rounds):
        for name, way in ways.items():
            one = timed[name]
            if one.error or (one.wall and one.spent >= allowed.get(name, seconds)):
                continue
            before = _seconds(base)
            try:
                taken = _seconds(way)
            except Exception as error:  # noqa: BLE001  whatever another library raises ends its own row alone
                one.error = told(error)
                continue
            one.base.append(before[0])
            one.base_processor.append(before[1])
            one.wall.append(taken[0])
            one.processor.append(taken[1])
    return timed


def told(error: BaseException) -> str:
    """An error in one short line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__


def median_of(values: Sequence[float]) -> Estimate:
    """The median of measurements with its 95 % bootstrap interval."""
    return quantile([[value] for value in values], 0.5)


def _ratio(above: Sequence[float], below: Sequence[float]) -> Estimate:
    return median_of([one / max(other, 1e-9) for one, other in zip(above, below, strict=True)])


def _seconds(run: Pass) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor
