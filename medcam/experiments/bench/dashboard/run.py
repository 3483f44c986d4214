"""The load test from its empty store to its figures."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from medcam.core.reader import Reader
from medcam.experiments.bench.dashboard.figures import (
    RERUN_MS,
    memory_figures,
    query_figures,
    waiting_figures,
)
from medcam.experiments.bench.dashboard.fill import annotated_store, fill_store
from medcam.experiments.bench.dashboard.load import Load, LoadRecord, send_readers, served
from medcam.experiments.bench.dashboard.plan import BenchPlan
from medcam.experiments.bench.dashboard.queries import Answered, answer_all, questions
from medcam.experiments.bench.dashboard.rows import ISSUER, reader_name
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.postgres import PostgresServer, find_programs
from medcam.experiments.machine import machine
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.explanations.software import __version__
from medcam.service.phantoms.sample_data import sample_films
from medcam.service.review import check_store
from medcam.service.review_settings import HOST
from medcam.service.studies.address import FILMS_VARIABLE
from medcam.service.studies.opened import OpenedStore, opened_store

_PACKAGES = ("streamlit", "SQLAlchemy", "uvicorn", "websockets")
_FIRST = 30
"""Reruns before anything is measured."""
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one kind of database was measured at.

    Args:
        name: "sqlite" or "postgresql".
        version: Of the server; empty where there is none of its own.
        thinking: What readers met who think.
        hurried: What readers met who do not.
        answered: How long questions to the worklist took.
        filled: Seconds that it took to fill the store.
    """

    name: str
    version: str
    thinking: LoadRecord
    hurried: LoadRecord
    answered: tuple[Answered, ...]
    filled: float

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All its figures."""
        figures = waiting_figures(f"rerun/{self.name}/thinking", self.thinking, RERUN_MS)
        figures += waiting_figures(f"rerun/{self.name}/hurried", self.hurried)
        figures += memory_figures(f"memory/{self.name}", self.hurried)
        return (*figures, *query_figures(f"worklist/{self.name}", self.answered))


@dataclass(frozen=True, slots=True)
class DashboardBench:
    """A finished load test.

    Args:
        plan: How large it was.
        measured: By database.
        missing: Why a kind of database was left out; empty where none was.
        machine: Where.
        load: The machine's load average over the last minute, before anything began.
        made: The day.
        seconds: How long all took.
        version: Of medcam.
    """

    plan: BenchPlan
    measured: tuple[Measured, ...]
    missing: str
    machine: dict[str, str]
    load: float
    made: str
    seconds: float
    version: str

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures; one without a value stands for what could not be measured."""
        figures = tuple(figure for one in self.measured for figure in one.figures)
        if not self.missing:
            return figures
        return (*figures, Figure("worklist/postgresql", float("nan"), "ms", 0, note=self.missing))


def run_dashboard_bench(
    plan: BenchPlan,
    *,
    store: str | None = None,
    films: Sequence[Path] = (),
    model: str = "phantom",
    report: Report = lambda _: None,
) -> DashboardBench:
    """Fills a store, lets many readers at it, and measures.

    Args:
        plan: How large the test is.
        store: An empty store of either kind; None for one of each kind, made for this and thrown away.
        films: DICOM files that readers see; none for the sample data.
        model: Name or folder of the model that explains them.
        report: Called with what is being done.

    Raises:
        StoreError: The named store is not empty (code `store-not-empty`), or cannot be used.
        MedcamError: Films cannot be annotated, the server cannot be started, or the readers break.
    """
    began, load = time.monotonic(), os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    measured: list[Measured] = []
    missing = ""
    with tempfile.TemporaryDirectory(prefix="medcam-bench-") as name:
        folder = Path(name)
        with _environment(**{KEY_VARIABLE: str(folder / "annotated.pem")}):
            report("annotate films")
            annotated = annotated_store(list(films) or sample_films(), folder, model)
            if store is None:
                measured.append(_measure(plan, str(folder / "sqlite"), annotated, report))
                server, missing = _postgres()
                if server is not None:
                    with server, _environment(**{FILMS_VARIABLE: str(folder / "films")}):
                        measured.append(_measure(plan, server.new_url(), annotated, report, version=server.version))
        if store is not None:
            measured.append(_measure(plan, store, annotated, report))
    return DashboardBench(
        plan=plan,
        measured=tuple(measured),
        missing=missing,
        machine=machine(_PACKAGES),
        load=load,
        made=datetime.now(UTC).strftime("%Y-%m-%d"),
        seconds=time.monotonic() - began,
        version=__version__,
    )


def _postgres() -> tuple[PostgresServer | None, str]:
    programs = find_programs()
    if programs is None:
        return None, "PostgreSQL is not installed here: its queries were not measured"
    return PostgresServer(programs), ""


def _measure(plan: BenchPlan, store: str, annotated: Path, report: Report, version: str = "") -> Measured:
    with opened_store(store) as opened:
        kind = opened.store.dialect
        report(f"{kind}: {plan.studies} studies")
        filled = fill_store(
            opened, annotated, studies=plan.studies, openable=plan.openable, readers=plan.readers, now=time.time()
        )
        report(f"{kind}: questions to the worklist")
        answered = answer_all(questions(opened, _askers(opened), time.time()), plan.repeats)
    names = [reader_name(number) for number in range(plan.readers)]
    with served(check_store(store), _free_port()) as server:

        def read(what: str, load: Load) -> LoadRecord:
            report(f"{kind}: {what}")
            said = [time.monotonic()]

            def tell(done: int) -> None:
                if time.monotonic() - said[0] > 30.0:
                    said[0] = time.monotonic()
                    report(f"{kind}: {done} reruns")

            return send_readers(server, load, tell)

        # The first pages of a server that has just been started wait for what it loads once.
        read("one reader, not measured", Load(names[:1], _FIRST, plan.seconds, 0.0, plan.seed + 2))
        thinking = Load(names, 10 * plan.reruns, plan.seconds, plan.think, plan.seed)
        calm = read(f"{plan.readers} readers who think", thinking)
        rush = Load(names, plan.reruns, float("1e9"), 0.0, plan.seed + 1)
        haste = read(f"{plan.readers} readers who do not", rush)
    return Measured(kind, version, calm, haste, answered, filled)


def _askers(opened: OpenedStore) -> dict[str, Reader]:
    known = {reader.subject: reader for reader in opened.readers.all() if reader.issuer == ISSUER}
    places = {"veteran": 0, "assigned": 1, "newcomer": 4}
    return {name: known.get(reader_name(place), known[reader_name(0)]) for name, place in places.items()}


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Variables of the environment, of this process and those that it starts, until the end of the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
