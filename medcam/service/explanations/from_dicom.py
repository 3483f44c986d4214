"""An explanation rebuilt from the DICOM objects that an archive kept of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from medcam.core.activation import CAM, ActivationMap
from medcam.core.errors import InputError
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Evidence, Finding, Point, Region, ZonesSource
from medcam.core.geometry import Box, GridTransform
from medcam.dicom.read import read_file
from medcam.dicom.report_content import ReportContent, ReportedFinding, StoredMap, read_maps, read_report
from medcam.dicom.structured_report import read_record
from medcam.service.explanations.explanation_json import explanation_from_dict, read_explanation

LONGEST = 64
"""Cells along the longer side of a map that is rebuilt from a segmentation."""
_SCALE = re.compile(r"A value of 1 stands for ([0-9.e+-]+) ")
_METHOD = re.compile(r"Map by ([a-z0-9+-]+), ")
_TOLERANCE = 1e-3


def load_explanation(path: Path | str, segmentation: Path | str | None = None) -> Explanation:
    """Reads an explanation from `explanation.json` or from a structured report by medcam.

    A report as medcam wrote it gives the explanation exactly, raw maps included, from its private block; its readable
    content is compared with that record. Where an archive has removed private data, findings, probabilities, ledgers
    and outlines come from the report's content, and the positive part of the maps from the segmentation, in steps of
    1/255 of their scale; the warnings say so, and these maps keep no ledger.

    Args:
        path: `explanation.json` or `sr.dcm`.
        segmentation: `seg-map.dcm` of the same film; only needed for a report without private block, and checked to
            belong to the report where it is given.

    Returns:
        The explanation.

    Raises:
        InputError: A file cannot be read, is not by medcam (`not-a-medcam-report`, `not-a-medcam-segmentation`), does
            not belong to the report (`segmentation-of-another-report`), or report and record contradict each other
            (`broken-explanation-record`).
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        return read_explanation(path)
    report = read_file(path).dataset
    content = read_report(report)
    maps = {} if segmentation is None else read_maps(read_file(Path(segmentation)).dataset)
    if set(maps) - {finding.tracking_uid for finding in content.findings}:
        raise InputError(
            "the segmentation belongs to another report: its tracking UIDs are not in this one",
            code="segmentation-of-another-report",
            next_step="Name the seg-map.dcm of the same film and the same run.",
        )
    try:
        record = read_record(report)
    except InputError as error:
        if error.code != "no-explanation-record":
            raise
        return _from_content(content, maps)
    explanation = explanation_from_dict(json.loads(record))
    _compare(explanation, content)
    return explanation


def _compare(explanation: Explanation, content: ReportContent) -> None:
    """Refuses a record that says something else than the report that carries it."""
    said = {finding.name: finding for finding in content.findings}
    same = explanation.source.identity.sop_instance_uid == content.source.sop_instance_uid and set(said) == {
        finding.name for finding in explanation.findings
    }
    if not same or any(
        abs(said[finding.name].figures["logit"] - finding.logit) > _TOLERANCE * max(1.0, abs(finding.logit))
        or said[finding.name].present is not finding.present
        for finding in explanation.findings
    ):
        raise InputError(
            "the report and the explanation inside it contradict each other",
            code="broken-explanation-record",
            next_step="Do not use it: one of the two was changed. Annotate the film again.",
        )


def _from_content(content: ReportContent, maps: Mapping[str, StoredMap]) -> Explanation:
    rows, columns = next((stored.shares.shape for stored in maps.values()), (0, 0))
    if not rows:
        raise InputError(
            "the report's private data were removed, and without a segmentation there are no maps",
            code="no-explanation-record",
            next_step="Give the seg-map.dcm of the same film too; a film without a present finding has none.",
        )
    method = _method(maps)
    findings = tuple(_finding(said, maps.get(said.tracking_uid), rows, columns, method) for said in content.findings)
    empty = [said.name for said in content.findings if said.tracking_uid not in maps]
    return Explanation(
        source=Source(content.source, rows, columns, ""),
        model=ModelReference(*content.model),
        engine=Engine(),
        method=method,
        findings=findings,
        out_of_distribution=OutOfDistribution(None, None, False),
        warnings=_warnings(empty),
    )


def _method(maps: Mapping[str, StoredMap]) -> str:
    """The method that the segments name; they name none where the maps are class activation maps."""
    named = {found[1]: None for stored in maps.values() if (found := _METHOD.match(stored.description))}
    return next(iter(named), CAM)


def _warnings(empty: Sequence[str]) -> tuple[str, ...]:
    rebuilt = (
        "rebuilt from a report without its private data: maps are the positive part, from the segmentation, and the "
        "out-of-distribution score is not known"
    )
    missing = f"the segmentation has no map of {', '.join(empty)}: theirs are empty here"
    return (rebuilt, missing) if empty else (rebuilt,)


def _finding(said: ReportedFinding, stored: StoredMap | None, rows: int, columns: int, method: str) -> Finding:
    scale = max(rows, columns) / LONGEST
    height, width = max(1, round(rows / scale)), max(1, round(columns / scale))
    values = np.zeros((height, width), dtype=np.float32) if stored is None else _cells(stored, height, width)
    figures = said.figures
    transform = GridTransform.identity(rows, columns).resize(height, width)
    region = _region(said, values, scale)
    return Finding(
        name=said.name,
        code=said.code,
        probability=min(1.0, max(0.0, figures["111012"] / 100.0)),
        logit=figures["logit"],
        threshold=figures["threshold"],
        present=said.present,
        map=ActivationMap(values, figures["bias"], transform, method, ledger=False),
        evidence=_evidence(said),
        regions=() if region is None else (region,),
    )


def _cells(stored: StoredMap, height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The map's mean in each cell of a coarser grid, in logit units."""
    scale = _SCALE.search(stored.description)
    if scale is None:
        raise InputError("a segment does not name its scale", code="not-a-medcam-segmentation")
    rows, columns = stored.shares.shape
    row_edges = np.linspace(0, rows, height + 1).astype(int)[:-1]
    column_edges = np.linspace(0, columns, width + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(stored.shares.astype(np.float64), row_edges, 0), column_edges, 1)
    counts = np.outer(np.diff([*row_edges, rows]), np.diff([*column_edges, columns]))
    return np.asarray(sums / counts * float(scale[1]), dtype=np.float32)


def _evidence(said: ReportedFinding) -> Evidence | None:
    """The zones' ledger; its two totals are those of the zones, since those of the cells are not in the report."""
    if not said.zones:
        return None
    values = np.array(list(said.zones.values()))
    positive, negative = float(values[values > 0].sum()), float(values[values < 0].sum())
    return Evidence(said.figures["bias"], positive, negative, said.zones, ZonesSource.REGISTRATION, None)


def _region(
    said: ReportedFinding, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], scale: float
) -> Region | None:
    if said.outline is None:
        return None
    (left, top), (right, bottom) = said.outline.min(axis=0).tolist(), said.outline.max(axis=0).tolist()
    row, column = np.unravel_index(int(np.argmax(values)), values.shape)
    inside = values.max() > 0
    peak = (
        Point((column + 0.5) * scale, (row + 0.5) * scale) if inside else Point((left + right) / 2, (top + bottom) / 2)
    )
    contour = tuple(Point(float(x), float(y)) for x, y in said.outline[:-1])
    share = min(1.0, said.figures["evidence-share"] / 100.0)
    return Region(Box(left, top, max(right - left, 1e-3), max(bottom - top, 1e-3)), peak, share, contour)
