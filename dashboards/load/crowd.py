"""Many simulated readers at once, for so many reruns or so long, with a sample of the server's memory beside them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from load.reader import Habits, SimulatedReader, Tally


@dataclass(frozen=True, slots=True)
class CrowdPlan:
    """What a crowd does.

    Args:
        habits: How its readers behave.
        readers: Their names in the store.
        reruns: They stop after so many, all together.
        seconds: And after so long.
        seed: Of what they do.
    """

    habits: Habits
    readers: tuple[str, ...]
    reruns: int
    seconds: float
    seed: int

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """The plan of a JSON value."""
        habits = Habits(**record["habits"])
        return cls(habits, tuple(record["readers"]), record["reruns"], record["seconds"], record["seed"])


@dataclass(slots=True)
class CrowdRecord:
    """What a crowd met.

    Args:
        seconds: How long it was at work.
        tallies: Of each reader.
        progress: Seconds since the start, and reruns done until then; one a second.
    """

    seconds: float
    tallies: list[Tally]
    progress: list[tuple[float, int]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON value."""
        return asdict(self)


async def send_crowd(plan: CrowdPlan, tell: Callable[[float, int], None]) -> CrowdRecord:
    """Lets a crowd read.

    Args:
        plan: What it does.
        tell: Called once a second with the seconds since the start and the reruns done.
    """
    began = time.monotonic()
    readers: list[SimulatedReader] = []

    def reruns() -> int:
        return sum(len(reader.tally.runs) for reader in readers)

    def goes_on() -> bool:
        return reruns() < plan.reruns and time.monotonic() - began < plan.seconds

    readers += [
        SimulatedReader(name, plan.habits, plan.seed * 1000 + number, goes_on)
        for number, name in enumerate(plan.readers)
    ]
    record = CrowdRecord(0.0, [])

    async def watch() -> None:
        while True:
            record.progress.append((time.monotonic() - began, reruns()))
            tell(*record.progress[-1])
            await asyncio.sleep(1.0)

    watching = asyncio.create_task(watch())
    record.tallies = list(await asyncio.gather(*(reader.read() for reader in readers)))
    watching.cancel()
    record.seconds = time.monotonic() - began
    return record
