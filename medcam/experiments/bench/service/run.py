"""Measures the HTTP API under load, beside the batch pipeline on the same films."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from medcam.core.api_token import Scope
from medcam.core.errors import MedcamError
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.service.clients import Load, run_clients
from medcam.experiments.bench.statistics import Estimate, quantile
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate, load_classifier
from medcam.service.jobs.worker import TOGETHER
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.studies.opened import opened_store

TARGET = 0.85
"""Least of the batch pipeline's films a second that the service should reach."""
_SEED = 77
_START_S, _STOP_S = 120.0, 30.0


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """How the service is loaded.

    Args:
        clients: Clients at a time that hand in film after film.
        films: Of each of them.
        flood: Films of one more client, handed in at once before it waits for any.
        size: Side of the phantoms in pixels.
        workers: Worker processes of the server. One for each of two cores, as the how-to advises.
        threads: Threads of each that read and prepare. The batch pipeline has as many as all workers together.
        rounds: How often the pipeline and the service are measured, in turns.
    """

    clients: int = 50
    films: int = 4
    flood: int = 40
    size: int = 1024
    workers: int = 2
    threads: int = 1
    rounds: int = 1

    @property
    def at_work(self) -> int:
        """Threads that read and prepare, in all workers together."""
        return self.workers * self.threads

    @property
    def before(self) -> int:
        """Films that are handed in before: more than all workers but one take at a time, so that each gets one."""
        return (self.workers - 1) * TOGETHER + 1

    @property
    def total(self) -> int:
        """Films in all of a round."""
        return self.clients * self.films + self.flood


@dataclass(frozen=True, slots=True)
class ServiceRound:
    """What one round measured.

    Args:
        batch: Films a second of the batch pipeline.
        load: What the clients met with the same films.
    """

    batch: float
    load: Load

    @property
    def films(self) -> float:
        """Films a second of the service."""
        return self.load.films / self.load.seconds


def run_service_bench(plan: ServicePlan, report: Callable[[str], None] = lambda _: None) -> tuple[Figure, ...]:
    """Loads a server of its own and tells what its clients met.

    Args:
        plan: How.
        report: Told what is being done.

    Returns:
        Films a second beside the batch pipeline's, waits, errors, and how even the clients fared.

    Raises:
        MedcamError: The server does not start (code `service-silent`).
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report(f"rendering {plan.total + plan.before} phantoms")
        films = _films(folder, plan)
        rounds = []
        for number in range(1, plan.rounds + 1):
            here = folder / f"round-{number}"
            report(f"round {number} of {plan.rounds}: the batch pipeline")
            batch = _batch(films[: plan.total], here, plan)
            report(f"round {number} of {plan.rounds}: {plan.clients} clients")
            rounds.append(ServiceRound(batch, _load(films, here, plan)))
    return figures(plan, rounds)


def figures(plan: ServicePlan, rounds: Sequence[ServiceRound]) -> tuple[Figure, ...]:
    """The figures of a load test.

    Args:
        plan: How it was made.
        rounds: What was measured, at least once.
    """
    loads = [one.load for one in rounds]
    waits = [client.waits for load in loads for client in load.clients]
    errors = [error for load in loads for error in load.errors]
    even = [fairness([client.ended for client in load.clients]) for load in loads]
    last = [load.flood.ended / max(client.ended for client in load.clients) for load in loads]
    return (
        _told("service-over-pipeline", _median([one.films / one.batch for one in rounds]), "", baseline=TARGET),
        _told("service/films", _median([one.films for one in rounds]), "films/s"),
        _told("service/pipeline-films", _median([one.batch for one in rounds]), "films/s"),
        _told("service/wait/p50", quantile(waits, 0.5), "s"),
        _told("service/wait/p99", quantile(waits, 0.99), "s"),
        Figure("service/errors", float(len(errors)), "", plan.total * len(loads), 0.0, note=_some(errors)),
        _told("service/fairness", _median(even), "", note="Jain's index of films a second, 1 is even"),
        _told("service/flood-over-clients", _median(last), "", note="ends of both, as a ratio"),
    )


def _told(name: str, one: Estimate, unit: str, baseline: float | None = None, note: str = "") -> Figure:
    between = (one.low, one.high) if one.n > 1 else (math.nan, math.nan)
    return Figure(name, one.value, unit, one.n, baseline, *between, note=note)


def _median(values: Sequence[float]) -> Estimate:
    return quantile([[value] for value in values], 0.5)


def _some(errors: Sequence[str]) -> str:
    return "; ".join(sorted(set(errors))[:3])


def fairness(seconds: Sequence[float]) -> float:
    """Jain's index of clients' rates, from the time that each took for as many films (Jain, Chiu and Hawe 1984).

    Args:
        seconds: Of each client, all positive.

    Returns:
        1 where all fared alike, 1/n where one had everything.
    """
    rates = [1.0 / one for one in seconds]
    return sum(rates) ** 2 / (len(rates) * sum(rate**2 for rate in rates))


def _films(folder: Path, plan: ServicePlan) -> list[Path]:
    out = folder / "films"
    make_phantoms(out, plan.total + plan.before, seed=_SEED, size=plan.size, masks=False, workers=plan.at_work)
    return sorted(out.rglob("*.dcm"))


def _batch(films: Sequence[Path], folder: Path, plan: ServicePlan) -> float:
    """Films a second of `annotate` with `explanation.json` alone, the model loaded."""
    options = AnnotateOptions(outputs=(Output.JSON,), workers=plan.at_work)
    classifier = load_classifier(options)
    began = time.monotonic()
    manifest = annotate(list(films), folder / "batch", options, classifier=classifier)
    return manifest.counts.annotated / (time.monotonic() - began)


def _load(films: Sequence[Path], folder: Path, plan: ServicePlan) -> Load:
    with opened_store(folder / "store") as opened:
        names = [*[f"client-{place}" for place in range(plan.clients)], "flood"]
        secrets = [opened.tokens.add(name, [Scope.SUBMIT, Scope.READ])[0] for name in names]
    shares = [films[place * plan.films : (place + 1) * plan.films] for place in range(plan.clients)]
    with _server(folder, plan) as address:
        # Films more than are measured: whoever comes first waits for the model to be loaded, in each worker.
        run_clients(address, [], films[plan.total :], secrets[-1:])
        return run_clients(address, shares, films[plan.clients * plan.films : plan.total], secrets)


@contextmanager
def _server(folder: Path, plan: ServicePlan) -> Iterator[str]:
    command = [sys.executable, "-m", "medcam", "serve", "--store", str(folder / "store"), "--port", "0"]
    command += ["--workers", str(plan.workers), "--threads", str(plan.threads), "--max-open", str(plan.flood + 10)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=dict(os.environ), text=True)  # noqa: S603  our own
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("API: "):
                raise MedcamError(
                    "the server does not start", code="service-silent", next_step="Run `medcam serve` and see why."
                )
            address = line.removeprefix("API: ").partition("/docs")[0]
            until = time.monotonic() + _START_S
            while requests.get(f"{address}/ready", timeout=30).status_code != 200 and time.monotonic() < until:
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            if process.stdout is not None:
                process.stdout.close()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
