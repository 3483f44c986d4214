"""Runs experiments: what is finished is kept, what was stopped goes on, every page is written from its record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medcam.core.errors import UsageError
from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Setting
from medcam.experiments.machine import machine
from medcam.experiments.pages import write_page, write_summary
from medcam.experiments.record import FOLDER, Record, plain, read_record, write_record
from medcam.service.atomic import write_text
from medcam.service.explanations.software import __version__

_OPTIONS = {Budget.FULL: "", Budget.QUICK: " --quick", Budget.SLICE: " --slice"}


def run_experiments(
    experiments: Sequence[Experiment], every: Sequence[Experiment], setting: Setting, out: Path, *, again: bool = False
) -> Path:
    """Runs experiments that are not finished, and writes their pages and the summary of all that are.

    Figures are kept in `out/figures/<name>.json` with budget, seed and version.

    Args:
        experiments: Which.
        every: All that there are: the summary has the rows of those with a record.
        setting: How.
        out: Where pages go.
        again: Whether to measure what is finished too; what the work folder holds is still used.

    Returns:
        The summary page.

    Raises:
        UsageError: A folder cannot be written (`output-not-writable`), or holds a file that is no record.
    """
    for folder in (out / FOLDER, setting.work):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{folder.name} cannot be written ({error.strerror})", code="output-not-writable"
            ) from error
    for experiment in experiments:
        record = read_record(experiment.name, out)
        if again or record is None or record.key != _key(setting):
            record = _measured(experiment, replace(setting, pictures=out))
            write_record(experiment.name, record, out)
        else:
            setting.report(f"{experiment.name}: kept")
        write_page(experiment, record, out)
    records = [(each, read_record(each.name, out)) for each in every]
    return write_summary([(each, record) for each, record in records if record is not None], out)


def _key(setting: Setting) -> dict[str, Any]:
    return {"budget": str(setting.budget), "seed": setting.seed, "version": __version__}


def _measured(experiment: Experiment, setting: Setting) -> Record:
    clock = _Clock(setting.work / f"{experiment.name}-{setting.budget}-{setting.seed}.seconds")

    def report(what: str) -> None:
        clock.keep()
        setting.report(f"{experiment.name}: {what}")

    figures = plain(experiment.run(replace(setting, report=report)))
    seed = f" --seed {setting.seed}" if setting.seed else ""
    data = " --data DIR" if setting.data is not None else ""
    return Record(
        key=_key(setting),
        figures=figures,
        seconds=round(clock.keep(), 1),
        made=datetime.now(UTC).strftime("%Y-%m-%d"),
        machine=machine(),
        command=f"medcam experiments --only {experiment.name}{_OPTIONS[setting.budget]}{seed}{data}",
    )


class _Clock:
    """Adds up the time of all attempts, since a run that goes on takes what an earlier one made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = float(path.read_text(encoding="utf-8")) if path.is_file() else 0.0
        self._started = time.monotonic()

    def keep(self) -> float:
        """Seconds so far, written down."""
        seconds = self._before + time.monotonic() - self._started
        write_text(self._path, f"{seconds:.1f}")
        return seconds
