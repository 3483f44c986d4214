"""Makes the report: sections from what was gathered, then HTML or PDF, with the same in JSON beside it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medcam.core.errors import UsageError
from medcam.core.explanation import RESEARCH_USE
from medcam.service.atomic import write_text
from medcam.service.evaluation.localisation_files import as_dict as localisation_dict
from medcam.service.explanations.software import __version__
from medcam.service.output_errors import writing
from medcam.service.report.cases import case_pictures
from medcam.service.report.document import Document, Paragraph, Section, Status, Table
from medcam.service.report.html import report_html
from medcam.service.report.inputs import RECORDS, Progress, ReportInputs, ReportPlan, gather
from medcam.service.report.measured import (
    calibration_section,
    drift_section,
    localisation_section,
    performance_section,
    subgroups_section,
)
from medcam.service.report.pdf import report_pdf
from medcam.service.report.recorded import record_section
from medcam.service.report.sbom import bill_of_materials
from medcam.service.report.told import (
    data_section,
    integrity_section,
    limits_section,
    model_section,
    readers_section,
    software_section,
)

SCHEMA_VERSION = "1.0"
SUFFIXES = (".html", ".pdf")


def make_report(plan: ReportPlan, out: Path, progress: Progress = lambda *_: None) -> Document:
    """Writes a report and, beside it, the same as JSON.

    Args:
        plan: What is asked.
        out: A file that ends in .html or .pdf; the JSON takes its name.
        progress: Called with what is done, of how many, and a note.

    Returns:
        The report.

    Raises:
        UsageError: The file has another ending (code `report-format`), or as `gather`.
        InputError: A file cannot be read.
        OutputError: The disk refuses the report.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError("a report is HTML or PDF", code="report-format", next_step="Name a file .html or .pdf.")
    inputs = gather(plan, progress)
    sbom = bill_of_materials()
    document = report_document(inputs, sbom)
    with writing():
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix.lower() == ".html":
            write_text(out, report_html(document))
        else:
            out.write_bytes(report_pdf(document))
        content = report_dict(inputs, document, sbom)
        write_text(out.with_suffix(".json"), json.dumps(content, indent=1, allow_nan=False) + "\n")
    return document


def report_document(inputs: ReportInputs, sbom: dict[str, Any]) -> Document:
    """The report of what was gathered."""
    pictures, missing = case_pictures(inputs)
    sections = (
        model_section(inputs),
        data_section(inputs),
        performance_section(inputs),
        calibration_section(inputs),
        subgroups_section(inputs),
        localisation_section(inputs, pictures, missing),
        *(record_section(inputs, name) for name in RECORDS),
        drift_section(inputs),
        readers_section(inputs),
        integrity_section(inputs),
        limits_section(inputs),
        software_section(inputs, sbom),
    )
    model, observed = inputs.observed.model, inputs.observed
    lines = (
        f"Model {model.name}, version {model.version}, weights {model.weights_sha256[:16]}",
        f"{len(observed.films)} films of {observed.label}; medcam {__version__}",
    )
    return Document("Audit of model decisions", lines, _made(), (_summary(sections), *sections))


def report_dict(inputs: ReportInputs, document: Document, sbom: dict[str, Any]) -> dict[str, Any]:
    """The report as plain values; docs/reference/audit-report.md says what they mean."""
    return {
        "schema_version": SCHEMA_VERSION,
        "notice": RESEARCH_USE,
        "made": document.made,
        "medcam": __version__,
        "model": asdict(inputs.observed.model),
        "record": {"kind": inputs.observed.kind, "name": inputs.observed.label, "films": len(inputs.observed.films)},
        "sections": [
            {
                "id": section.id,
                "title": section.title,
                "status": None if section.status is None else str(section.status),
                "verdicts": [asdict(verdict) for verdict in section.verdicts],
            }
            for section in document.sections
        ],
        "performance": None if inputs.performance is None else inputs.performance.as_dict(),
        "localisation": None if inputs.localisation is None else localisation_dict(inputs.localisation),
        "drift": None if inputs.drift is None else inputs.drift.as_dict(),
        "records": dict(inputs.records),
        "sbom": sbom,
    }


def _summary(sections: tuple[Section, ...]) -> Section:
    rows = []
    for section in sections:
        if section.status is not None:
            counts = [(status, sum(one.status is status for one in section.verdicts)) for status in Status]
            told = ", ".join(f"{count} {status.value}" for status, count in counts if count)
            rows.append((section.title, section.status.value, told))
    text = (
        "A section is as good as its worst verdict. Each verdict stands in its section, with the number and the rule "
        "behind it. What was not assessed is said as plainly as what was."
    )
    return Section(
        "summary", "At a glance", (Paragraph(text), Table(("section", "verdict", "of its parts"), tuple(rows)))
    )


def _made() -> str:
    """The moment, or the one that SOURCE_DATE_EPOCH names, for reports that are to be the same byte by byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return moment.strftime("%Y-%m-%d %H:%M UTC")
