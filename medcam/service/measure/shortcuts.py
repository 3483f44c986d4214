"""How many planted shortcuts `medcam evaluate shortcuts` tells, and how often it tells one where none was planted.

Small networks learn from phantoms on which a thing betrays a finding, or betrays none; each is judged by the rule on
films that it has not seen, made as its own were. Whether a network took the bait is known from pairs of films that
differ in nothing but the thing, drawn anew: no erasing and no judge is in that figure.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medcam.core.errors import UsageError
from medcam.core.protocols import Classifier
from medcam.evaluate.classification import auc
from medcam.evaluate.localisation import share_interval
from medcam.evaluate.shortcuts.record import Place, PlaceErasing, ShortcutRecord
from medcam.evaluate.shortcuts.rule import RULE, Severity
from medcam.service.atomic import write_text
from medcam.service.evaluation.shortcuts import judge_films
from medcam.service.measure.shortcut_models import NetworkPlan, Thing, paired_film, plain_dict, shortcut_film, trained
from medcam.service.workers import one_blas_thread

TUNING_SEEDS = ((71, 86), (901, 916))
"""First and last of the networks that the rule was chosen on: of the second lot it missed two words and told one border
too many, and was changed for that. None of them is measured."""
FIRST_SEED = 1001
"""Of the networks that are measured."""
TAKEN = 0.5
"""A network took the bait where the thing alone raises the finding's logit by this many standard deviations or more.
One that did not has learnt no shortcut, and there is none to tell."""

_PLANTED = (
    (Thing.MARKER, "Nodule"),
    (Thing.TEXT, "Mass"),
    (Thing.DEVICE, "Consolidation"),
    (Thing.BORDER, "Nodule"),
    (Thing.MARKER, "Consolidation"),
    (Thing.TEXT, "Nodule"),
    (Thing.DEVICE, "Mass"),
    (Thing.BORDER, "Consolidation"),
)
_CLEAN = (Thing.MARKER, None, Thing.TEXT, None, Thing.DEVICE, None, Thing.BORDER, None)


@dataclass(frozen=True, slots=True)
class ShortcutBench:
    """How much is measured.

    Args:
        networks: Planted networks, and as many clean ones; at most 8 of each.
        films: Phantoms that each is judged on.
        patients: Phantoms that each learns from.
        epochs: Passes over them.
        pairs: Pairs of films that tell whether the bait was taken.
        seed: Chooses the films that are measured on.
    """

    networks: int = 8
    films: int = 240
    patients: int = 360
    epochs: int = 10
    pairs: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.networks <= len(_PLANTED) or min(self.films, self.pairs) < 2:
            raise UsageError(f"1 to {len(_PLANTED)} networks of each kind are judged, on two films or more")

    @property
    def plans(self) -> tuple[NetworkPlan, ...]:
        """Planted and clean networks by turns."""
        pairs = zip(_PLANTED[: self.networks], _CLEAN, strict=False)
        blanks = [(NetworkPlan(0, thing, betrays), NetworkPlan(0, other)) for (thing, betrays), other in pairs]
        return tuple(
            replace(plan, seed=FIRST_SEED + number, patients=self.patients, epochs=self.epochs)
            for number, plan in enumerate(plan for pair in blanks for plan in pair)
        )


def measure_shortcuts(
    bench: ShortcutBench, work: Path, *, workers: int = 1, report: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Trains and judges the networks, and counts what is told.

    Args:
        bench: How much.
        work: Where networks and their records are kept; what an earlier call left there is taken.
        workers: Networks at a time, each in a process and thread of its own.
        report: Called with what has been done.

    Returns:
        Plain values: the rule, a row per network, and the shares told with their intervals by Wilson.
    """
    job = partial(judged_network, bench=bench, work=work)
    rows: list[dict[str, Any]] = []
    for plan, row in zip(bench.plans, _rows(job, bench.plans, workers), strict=True):
        rows.append(row)
        report(f"{plan.name}: {row['told_words']}")
    return {"rule": RULE.words, "tuning_seeds": [list(lot) for lot in TUNING_SEEDS], "networks": rows, **totals(rows)}


def _rows(
    job: Callable[[NetworkPlan], dict[str, Any]], plans: Sequence[NetworkPlan], workers: int
) -> Iterator[dict[str, Any]]:
    if workers < 2:
        yield from map(job, plans)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one_blas_thread) as pool:
        try:
            yield from pool.map(job, plans)
        finally:
            # Whoever stops the run waits for the networks at hand, not for all that are to come.
            pool.shutdown(wait=True, cancel_futures=True)


def judged_network(plan: NetworkPlan, bench: ShortcutBench, work: Path) -> dict[str, Any]:
    """One network's row: trained, judged and kept, or as an earlier call left it."""
    kept = work / f"{plan.name}-{plan.patients}-{plan.size}-{plan.epochs}-{bench.films}-{bench.pairs}-{bench.seed}.json"
    if kept.is_file():
        row: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        if row["rule"] == RULE.words:
            return row
    torch.set_num_threads(1)
    network = trained(plan, work)
    seed = 10 * plan.seed + 4 + 100_000 * bench.seed
    films = [shortcut_film(plan, seed, index)[0] for index in range(bench.films)]
    record = judge_films(films, network, data=f"phantoms of seed {seed}")
    row = network_row(plan, record) | {"taken": _taken(plan, network, bench, seed + 1)}
    logits = np.concatenate([network.predict(network.prepare(f.radiograph).values[None]).logits for f in films])
    found = [
        (name, auc([film.labels[name] for film in films], logits[:, number]))
        for number, name in enumerate(network.card.finding_names)
    ]
    row["auc"] = {name: value for name, value in found if np.isfinite(value)}
    row["made_with"] = (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    )
    write_text(kept, json.dumps(row, indent=1, default=float))
    return row


def network_row(plan: NetworkPlan, record: ShortcutRecord) -> dict[str, Any]:
    """What was told of a network, beside what was planted in it.

    A planted shortcut is caught where its finding and its place are told together. Everything else that is told of a
    planted network is counted apart: a false alarm of that network. Of a clean one everything told is a false alarm.
    """
    target = None if plan.thing is None or not plan.planted else (plan.betrays, plan.thing.place)
    told = record.shortcuts
    others = [each for each in told if (each.finding, each.place) != target]
    aimed = [each for each in record.erasing if (each.finding, each.place) == target]
    share = [e for e in record.evidence if (e.finding, e.place) == target]
    enriched = share[0].enrichment if share else None
    return {
        "plan": plain_dict(plan),
        "rule": record.rule.words,
        "planted": plan.planted,
        "caught": any(each.told for each in aimed),
        "effect": _interval(aimed[0]) if aimed else None,
        "basis": str(aimed[0].basis) if aimed else None,
        "severity": str(aimed[0].severity if aimed else Severity.UNKNOWN) if target else str(record.severity),
        "enrichment": None if enriched is None else [enriched.value, enriched.low, enriched.high],
        "tests": len([each for each in record.erasing if each.p is not None]),
        "others": [[each.finding, str(each.place), *_interval(each), str(each.severity)] for each in others],
        "associated": [
            [
                each.finding,
                each.attribute,
                each.contrast,
                each.effect.value if each.effect else None,
                str(each.severity),
            ]
            for each in record.associations
            if each.told
        ],
        "associations": len([each for each in record.associations if each.p is not None]),
        "told_words": "; ".join(f"{each.finding} by {each.place}, {each.severity}" for each in told) or "nothing told",
    }


def _interval(row: PlaceErasing) -> list[float]:
    return [row.effect.value, row.effect.low, row.effect.high]


def _taken(plan: NetworkPlan, network: Classifier, bench: ShortcutBench, seed: int) -> float | None:
    """Mean rise of the betrayed finding's logit by the thing alone, in standard deviations over films without it."""
    if not plan.planted:
        return None
    column = network.card.finding_names.index(plan.betrays)
    logits = np.array(
        [
            [
                float(network.predict(network.prepare(film).values[None]).logits[0, column])
                for film in paired_film(plan, seed, index)
            ]
            for index in range(bench.pairs)
        ]
    )
    spread = float(np.concatenate([logits[:, 0], logits[:, 1]]).std(ddof=1))
    return float((logits[:, 1] - logits[:, 0]).mean()) / spread if spread > 0.0 else 0.0


def totals(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Shares over networks, with their 95 % intervals by Wilson (1927)."""
    planted, clean = ([row for row in rows if row["planted"] is kind] for kind in (True, False))
    baited = [row for row in planted if (row["taken"] or 0.0) >= TAKEN]
    pairs = sum(row["tests"] - row["planted"] for row in rows)
    alarms = sum(len(row["others"]) for row in rows)
    return {
        "detected": _share([row["caught"] for row in planted]),
        "taken": len(baited),
        "detected_where_taken": _share([row["caught"] for row in baited]),
        "false_alarms": _share([bool(row["others"]) for row in clean]),
        "false_alarms_planted": _share([bool(row["others"]) for row in planted]),
        "pairs": pairs,
        "false_pairs": _share([True] * alarms + [False] * (pairs - alarms)),
        "places": {str(place): sum(each[1] == str(place) for row in rows for each in row["others"]) for place in Place},
    }


def _share(hits: Sequence[bool]) -> dict[str, float] | None:
    if not hits:
        return None
    share = share_interval(list(hits))
    return {"n": len(hits), "value": share.value, "low": share.low, "high": share.high}
