"""How much is measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from medcam.experiments.bench.peers.subject import FINDINGS
from medcam.experiments.bench.pipeline.plan import PipelineSettings
from medcam.experiments.bench.process import load_average
from medcam.experiments.bench.service.run import ServicePlan
from medcam.models.engines.names import AUTO

Cell = tuple[int, int]
"""Side in pixels, films per pass."""

_SPARE_S = 180.0


@dataclass(frozen=True, slots=True)
class PerformancePlan:
    """How `medcam bench` measures; by default all that there is, in close to two hours on two cores.

    Args:
        quick: Whether this is the plan of `--quick`.
        cells: Where maps are timed beside a plain forward pass.
        rounds: Most pairs of passes of a way and a cell.
        seconds: A way is finished with a cell after this long.
        own_seconds: The same for medcam's own way, whose cost is small and has to be told from 1.
        longest: A way whose maps of all findings would take longer than this in one pass is left out, and said so.
        memory: Where memory is measured, with two findings; None for nowhere.
        checked: Side and films that maps are compared on.
        findings: Findings that are compared.
        engines: Where engines are timed beside eager torch.
        asked: Which.
        film_side: Of the phantoms that whole programs are run on.
        script_films: Phantoms that the plain scripts get, beside one more; a multiple of the four codecs.
        own_films: Phantoms that medcam gets, beside one more.
        program_rounds: How often each program is run.
        without_pictures: Whether medcam is run without pictures too.
        pipeline: How the pipeline is measured.
        service: How the HTTP API is measured.
        patience: Most seconds that a part waits for the machine to become quiet; the part before it makes a load too.
        load: Load average before the benchmark began, for parts that do not wait: what ends as they begin is the
            benchmark's own. None where each part looks for itself.
        spare_until: On the monotonic clock, when what can be spared is left out.
        report: Told what is being done.
    """

    quick: bool = False
    cells: tuple[Cell, ...] = ((224, 1), (224, 16), (512, 1), (512, 16))
    rounds: int = 60
    seconds: float = 60.0
    own_seconds: float = 180.0
    longest: float = 600.0
    memory: Cell | None = (224, 16)
    checked: Cell = (160, 8)
    findings: int = FINDINGS
    engines: tuple[Cell, ...] = ((224, 1), (224, 16), (512, 1))
    asked: tuple[str, ...] = ("torch:fp32", "torch:bf16", "openvino:fp32", "openvino:bf16", AUTO)
    film_side: int = 2048
    script_films: int = 8
    own_films: int = 32
    program_rounds: int = 3
    without_pictures: bool = True
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    service: ServicePlan = field(default_factory=lambda: ServicePlan(rounds=3))
    patience: float = 240.0
    load: float | None = None
    spare_until: float = math.inf
    report: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)


def quick_plan(report: Callable[[str], None] = lambda _: None) -> PerformancePlan:
    """The plan of `--quick`: the same network and films, fewer sizes and rounds, in five minutes."""
    return PerformancePlan(
        quick=True,
        load=load_average(),
        spare_until=time.monotonic() + _SPARE_S,
        cells=((224, 1),),
        rounds=12,
        seconds=2.0,
        own_seconds=5.0,
        longest=4.0,
        memory=None,
        checked=(96, 4),
        findings=2,
        engines=((224, 16),),
        asked=(AUTO,),
        script_films=4,
        own_films=4,
        program_rounds=1,
        without_pictures=False,
        patience=0.0,
        pipeline=PipelineSettings(
            films=0, rendered=4, rounds=1, round_films=8, stage_films=4, engine_seconds=2.0, report=report
        ),
        service=ServicePlan(clients=8, films=1, flood=4, size=512),
        report=report,
    )
