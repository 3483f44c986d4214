"""Engines beside eager torch in fp32: times as fast, and how far off."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from medcam.core.arrays import FloatArray
from medcam.core.prediction import Prediction
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.peers.subject import FINDINGS, threads
from medcam.experiments.bench.performance.plan import PerformancePlan
from medcam.experiments.bench.performance.values import Found, figure, plain, reached, words
from medcam.experiments.bench.timing import median_of, take_turns
from medcam.experiments.tables import table
from medcam.models.engines import processor
from medcam.models.engines.budget import BUDGET, errors_between
from medcam.models.engines.calibration import calibration_inputs
from medcam.models.engines.choose import with_engine
from medcam.models.engines.names import AUTO
from medcam.models.loaded import LoadedModel
from medcam.service.measure.engine_speed import densenet

WITH_BF16, WITHOUT_BF16 = 3.0, 1.7
"""Least that `auto` is faster than eager torch, 224 px and 16 films; where the processor has bf16 and where not."""
_TARGET_CELL = (224, 16)


def run(plan: PerformancePlan) -> Found:
    """Times every engine at every size, in turns with eager torch."""
    cells = []
    for side, batch in plan.engines:
        plan.report(f"engines, {side} px, {batch} per pass")
        cells.append(_cell(plan, side, batch))
    has_bf16 = processor.has_bf16()
    return {
        "threads": threads(),
        "findings": FINDINGS,
        "bf16": has_bf16,
        "target": WITH_BF16 if has_bf16 else WITHOUT_BF16,
        "cells": cells,
    }


def kind() -> str:
    """Of this machine: the two have targets of their own."""
    return "" if processor.has_bf16() else "without bf16"


def _cell(plan: PerformancePlan, side: int, batch: int) -> Found:
    eager = densenet(side)
    films = calibration_inputs(eager.card.input)
    wanted = eager.predict(films)
    inputs = films[np.arange(batch) % len(films)]
    fast: dict[str, LoadedModel] = {}
    ready: dict[str, float] = {}
    for asked in plan.asked:
        began = time.perf_counter()
        fast[asked] = with_engine(eager, asked)
        ready[asked] = time.perf_counter() - began
    passes = {asked: _pass(model, inputs) for asked, model in fast.items()}
    base = _pass(eager, inputs)
    # What an engine does once for a new size of batch is not timed.
    for each in (base, *passes.values()):
        each()
    timed = take_turns(base, passes, rounds=plan.rounds, seconds=plan.seconds)
    rows = {}
    for asked, model in fast.items():
        errors = errors_between(wanted, model.predict(films))
        one = timed[asked]
        rows[asked] = {
            "engine": f"{model.engine.name} {model.engine.precision}",
            "notes": list(model.engine_notes),
            "faster": plain(one.faster),
            "processor_ms": plain(median_of(one.processor), 1000.0),
            "ms": plain(median_of(one.wall), 1000.0),
            "logit_error": errors.logit,
            "map_error": errors.map,
            "ready_s": ready[asked],
        }
    bases = [seconds for one in timed.values() for seconds in one.base]
    return {"side": side, "batch": batch, "eager_ms": plain(median_of(bases), 1000.0), "ways": rows}


def _pass(model: LoadedModel, inputs: FloatArray) -> Callable[[], Prediction]:
    return lambda: model.predict(inputs)


def figures(found: Found) -> list[Figure]:
    """`auto` under the name of its cell, each engine that was asked for with its own name behind it."""
    told = []
    for cell in found["cells"]:
        target = found["target"] if _is_target(cell) else None
        for asked, row in cell["ways"].items():
            ending = "" if asked == AUTO else f"/{asked.replace(':', '-')}"
            name = f"engine-over-eager/{cell['side']}/b{cell['batch']}{ending}"
            told.append(figure(name, row["faster"], "", target if asked == AUTO else None, row["engine"]))
    return told


def targets(found: Found) -> list[tuple[str, str, str, str]]:
    """Rows: what, target, measured, reached."""
    rows = []
    for cell in filter(_is_target, found["cells"]):
        row, target = cell["ways"][AUTO], found["target"]
        what = f"engine `auto` ({row['engine']}) over eager torch, {cell['side']} px, batch {cell['batch']}"
        rows.append((what, f">= {target:g}", words(row["faster"]), reached(row["faster"], target, at_most=False)))
    return rows


def section(found: Found) -> str:
    """Markdown below its heading."""
    has = "has" if found["bf16"] else "has not"
    parts = [
        f"""Logits and all maps of DenseNet-121 with {found["findings"]} findings and random weights, {found["threads"]}
threads of torch; times as fast as eager torch in fp32, pairs of passes in turns. This processor {has} bf16.
Errors are on
the eight films that every engine is checked on ([engines](engines.md)): the budget is {BUDGET.logit:g} for a logit and
{100 * BUDGET.map:.0f} % for a map. torch runs channels last, bf16 under autocast; what is asked for and not
kept to falls
back, and the column "ran" says to what."""
    ]
    for cell in found["cells"]:
        rows = [_row(asked, row) for asked, row in cell["ways"].items()]
        header = (
            "asked for",
            "ran",
            "times as fast",
            "pairs",
            "ms",
            "processor ms",
            "logit error",
            "map error",
            "ready after s",
        )
        head = f"{cell['side']} px, batch {cell['batch']}; eager torch {words(cell['eager_ms'], 0)} ms:"
        parts.append(f"{head}\n\n{table(header, rows)}")
    return "\n\n".join(parts)


def _row(asked: str, row: Found) -> list[str]:
    ms, used = words(row["ms"], 0), f"{row['processor_ms']['value']:.0f}"
    errors = (f"{row['logit_error']:.0e}", f"{100 * row['map_error']:.2g} %")
    return [
        f"`{asked}`",
        row["engine"],
        words(row["faster"]),
        str(row["faster"]["n"]),
        ms,
        used,
        *errors,
        f"{row['ready_s']:.1f}",
    ]


def _is_target(cell: Found) -> bool:
    return (cell["side"], cell["batch"]) == _TARGET_CELL
