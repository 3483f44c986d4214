"""Measures the HTTP API under load, beside the batch pipeline on the same films."""

from __future__ import annotations

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
from medcam.experiments.bench.statistics import quantile
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate, load_classifier
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.studies.opened import opened_store

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
        workers: Worker processes of the server.
        threads: Threads of each, and of the batch pipeline, that read and prepare.
    """

    clients: int = 50
    films: int = 4
    flood: int = 40
    size: int = 1024
    workers: int = 1
    threads: int = 2

    @property
    def total(self) -> int:
        """Films in all."""
        return self.clients * self.films + self.flood


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
        report(f"rendering {plan.total + 1} phantoms")
        films = _films(folder, plan)
        report("the batch pipeline")
        batch = _batch(films[: plan.total], folder, plan)
        report(f"{plan.clients} clients")
        load = _load(films, folder, plan)
    return figures(plan, load, batch)


def figures(plan: ServicePlan, load: Load, batch: float) -> tuple[Figure, ...]:
    """The figures of a load test.

    Args:
        plan: How it was made.
        load: What was met.
        batch: Films a second of the batch pipeline on the same films.
    """
    waits = [one.waits for one in load.clients]
    ended = [one.ended for one in load.clients]
    told = []
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        found = quantile(waits, share)
        told.append(Figure(f"service/wait/{label}", found.value, "s", found.n, low=found.low, high=found.high))
    return (
        Figure("service-over-pipeline", load.films / load.seconds, "films/s", load.films, baseline=batch),
        *told,
        Figure("service/errors", float(len(load.errors)), "", plan.total, note="; ".join(sorted(set(load.errors))[:3])),
        Figure("service/fairness", fairness(ended), "", len(ended), note="Jain's index of films a second, 1 is even"),
        Figure("service/flood-over-clients", load.flood.ended / max(ended), "", 1, note="ends of both, as a ratio"),
    )


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
    make_phantoms(out, plan.total + 1, seed=_SEED, size=plan.size, masks=False, workers=plan.threads)
    return sorted(out.rglob("*.dcm"))


def _batch(films: Sequence[Path], folder: Path, plan: ServicePlan) -> float:
    """Films a second of `annotate` with `explanation.json` alone, the model loaded."""
    options = AnnotateOptions(outputs=(Output.JSON,), workers=plan.threads)
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
        # One film more than is measured: whoever comes first waits for the model to be loaded.
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
