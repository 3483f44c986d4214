"""What the maps of all findings cost beside a plain forward pass, and whether they are right."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from medcam.experiments.bench.peers.check import checked, exact_maps
from medcam.experiments.bench.peers.every import OWN, PEERS, UNMEASURED, package_version
from medcam.experiments.bench.peers.memory import measured_memory
from medcam.experiments.bench.peers.peer import Peer
from medcam.experiments.bench.peers.subject import FINDINGS, Pass, Subject, device_name, devices, threads
from medcam.experiments.bench.performance.plan import PerformancePlan
from medcam.experiments.bench.performance.values import Found, plain
from medcam.experiments.bench.process import available_mib
from medcam.experiments.bench.timing import median_of, take_turns, told

TARGET = 1.02
"""Most that the maps of all findings may cost: time with them over time without."""
_MEMORY_FINDINGS = 2
_ROOM = 0.8
"""Share of the memory that is free that a way may be expected to take."""


def run(plan: PerformancePlan) -> Found:
    """Checks the maps of every peer that is installed, times them, and measures their memory."""
    checks = _checks(plan)
    memory = _memory(plan)
    pixels = memory["side"] ** 2 * memory["batch"]
    per_pixel = {name: value / pixels for name, value in memory["mib"].items()}
    cells = []
    for device in devices():
        for cell in plan.cells:
            plan.report(f"cost of maps, {device}, {cell[0]} px, {cell[1]} per pass")
            cells.append(_cell(plan, device, *cell, per_pixel))
    return {
        "findings": FINDINGS,
        "target": TARGET,
        "threads": threads(),
        "own": OWN.name,
        "packages": {peer.name: f"{peer.package} {package_version(peer.package)}" for peer in PEERS},
        "unmeasured": dict(UNMEASURED),
        "checked": {"side": plan.checked[0], "films": plan.checked[1], "findings": plan.findings, "ways": checks},
        "cells": cells,
        "memory": memory,
    }


def _memory(plan: PerformancePlan) -> Found:
    side, batch = plan.memory or (0, 0)
    mib: dict[str, float] = {}
    if plan.memory is not None:
        plan.report("memory of maps")
        mib = measured_memory(side, batch, _MEMORY_FINDINGS)
    return {"side": side, "batch": batch, "findings": _MEMORY_FINDINGS, "mib": mib}


def _checks(plan: PerformancePlan) -> dict[str, dict[str, Any]]:
    side, batch = plan.checked
    subject = Subject(side, batch, findings=plan.findings)
    truth = exact_maps(subject)
    found: dict[str, dict[str, Any]] = {}
    for peer in PEERS:
        plan.report(f"maps of {peer.name}")
        try:
            found[peer.name] = checked(peer, subject, truth).as_dict()
        except Exception as error:  # noqa: BLE001  whatever another library raises ends its own row alone
            found[peer.name] = {"error": told(error)}
    return found


def _cell(plan: PerformancePlan, device: str, side: int, batch: int, per_pixel: Mapping[str, float]) -> Found:
    subject = Subject(side, batch, device)
    forward = subject.plain()
    forward()
    ways: dict[str, Pass] = {}
    left: dict[str, str] = {}
    room = available_mib() if device == "cpu" else None  # a GPU that is full says so, a system ends the process
    with ExitStack() as stack:
        for peer in PEERS:
            # All are open at once, and what works by gradients holds on to what its last pass left during the next.
            needs = 2.0 * per_pixel.get(peer.name, 0.0) * side * side * batch
            if room is not None and needs > _ROOM * room:
                left[peer.name] = f"would take about {needs / 1024.0:.0f} GiB beside the others"
                continue
            try:
                takes = _about(peer, subject)
                if takes > plan.longest:
                    left[peer.name] = f"would take about {takes:.0f} s a pass"
                    continue
                ways[peer.name] = stack.enter_context(subject.all_findings(peer))
                room = None if room is None else room - needs
            except Exception as error:  # noqa: BLE001  see above
                left[peer.name] = told(error)
        longer = {OWN.name: plan.own_seconds}
        timed = take_turns(forward, ways, rounds=plan.rounds, seconds=plan.seconds, longer=longer)
    rows: dict[str, Found] = {name: {"error": why} for name, why in left.items()}
    for name, one in timed.items():
        if one.wall:
            rows[name] = {
                "ratio": plain(one.slower),
                "processor": plain(one.slower_processor),
                "ms": plain(median_of(one.wall), 1000.0),
                "forward_ms": plain(median_of(one.base), 1000.0),
            }
        else:
            rows[name] = {"error": one.error}
    bases = [seconds for one in timed.values() for seconds in one.base]
    return {
        "device": device,
        "device_name": device_name(device),
        "side": side,
        "batch": batch,
        "forward_ms": plain(median_of(bases), 1000.0),
        "ways": {peer.name: rows[peer.name] for peer in PEERS},
    }


def _about(peer: Peer, subject: Subject) -> float:
    """Seconds that a peer's maps of all findings take, from those of one; also warms up what it uses."""
    small = Subject(subject.films.shape[2], len(subject.films), subject.device, findings=1)
    with small.all_findings(peer) as run:
        run()
        began = time.perf_counter()
        run()
    return (time.perf_counter() - began) * (subject.findings if peer.one_by_one else 1)
