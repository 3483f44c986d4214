"""Pages and the summary, written from records alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medcam.experiments.experiment import Experiment
from medcam.experiments.record import FOLDER, Record
from medcam.experiments.tables import table
from medcam.service.atomic import write_text

SUMMARY = "README.md"


def write_page(experiment: Experiment, record: Record, out: Path) -> None:
    """Writes an experiment's page and pictures."""
    page = experiment.page(record.figures)
    text = f"# {experiment.title}\n\n{page.body.strip()}\n\n{_origin(experiment, record)}\n"
    write_text(out / f"{experiment.name}.md", text)
    for name, picture in page.pictures.items():
        write_text(out / name, picture)


def _origin(experiment: Experiment, record: Record) -> str:
    about = record.machine
    where = f"{about['cores']} cores, {about['processor']}; {about['system']}; {about['packages']}"
    return (
        f"## How it was made\n\n```sh\n{record.command}\n```\n\n{record.made}, {record.seconds / 60:.1f} minutes "
        f"(parts that were already there not counted), {where}; medcam {record.key['version']}. All figures on this "
        f"page were written by the command, from [its record]({FOLDER}/{experiment.name}.json)."
    )


def write_summary(records: Sequence[tuple[Experiment, Record]], out: Path) -> Path:
    """Writes the page whose rows are those of the lecture, and below them what the lecture does not have."""
    told = [
        (line, str(record.key["budget"]), f"[{experiment.title}]({experiment.name}.md)")
        for experiment, record in records
        for line in experiment.summary(record.figures)
    ]
    rows = [(line.row, line.what, line.here, line.paper, page) for line, _, page in told if line.row]
    rows.sort(key=lambda row: int(row[0].lstrip("L")))
    beyond = [(line.what, line.here, budget, page) for line, budget, page in told if not line.row]
    minutes = sum(record.seconds for _, record in records) / 60
    budgets = ", ".join(sorted({str(record.key["budget"]) for _, record in records}))
    body = f"""# The lecture's experiments

Zhou, Khosla, Lapedriza, Oliva and Torralba, "Learning Deep Features for Discriminative Localization" (CVPR 2016), row
by row, on radiographs. Synthetic ones where truth to the pixel is needed: what holds on phantoms need not hold on
patients. Research use. Not a medical device.

{table(("row", "what", "here", "lecture and paper", "page"), rows, words=True)}
{_beyond(beyond)}
`medcam experiments` makes these pages (budget: {budgets}); {minutes:.0f} minutes in all, parts that were
already there not counted. Nothing here was typed by hand.
"""
    path = out / SUMMARY
    write_text(path, body)
    return path


def _beyond(rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    columns = table(("what", "here", "budget", "page"), rows, words=True)
    return f"\n## Beyond the lecture\n\n{columns}\n"
