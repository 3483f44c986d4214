"""Where readers and the model see a finding, compared by intersection over union."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from medcam.core.finding import Point
from medcam.core.geometry import Box
from medcam.core.review import Answer, MarkedRegion, MarkKind
from medcam.evaluate.agreement import mean_figure, share_figure
from medcam.evaluate.agreement_figure import Figure, nothing
from medcam.evaluate.agreement_regions import box_outline, outline_iou
from medcam.service.agreement.cases import Case
from medcam.service.studies.opened import OpenedStore
from medcam.store import AnswerStore

Place = tuple[tuple[Point, ...], ...]
"""Outlines, in source pixels."""
Places = Mapping[tuple[str, str], Place]
"""The model's places by explanation and finding."""


def marked_place(region: MarkedRegion) -> Place:
    """The place that a reader marked."""
    return (box_outline(region.box),) if region.kind is MarkKind.BOX else (region.points,)


def model_places(opened: OpenedStore, cases: Iterable[Case]) -> Places:
    """The model's regions beside those that readers marked, by the first of its rules, the calibrated one.

    Raises:
        StoreError: The database cannot be used.
    """
    wanted = {(case.explanation, case.finding) for case in cases if case.region is not None and case.called}
    ids = {explanation for explanation, _ in wanted if explanation is not None}
    found: dict[tuple[str, str], Place] = {}
    for explanation, content in AnswerStore(opened.store).contents(ids):
        for finding in json.loads(content)["findings"]:
            place = _regions(finding["regions"])
            if place and (explanation, finding["name"]) in wanted:
                found[explanation, finding["name"]] = place
    return found


def overlap_with_model(cases: Iterable[Case], places: Places) -> Figure:
    """Mean intersection over union of what readers marked and the model's regions.

    Where the model called the finding present, and the reader marked another place than the model did or, in a blind
    reading, a place at all.
    """
    pairs = []
    for case in cases:
        place = places.get((case.explanation or "", case.finding))
        if place is not None and case.region is not None and case.present and case.called:
            pairs.append((outline_iou(marked_place(case.region), place), case.patient))
    return _mean(pairs)


def overlap_of_readers(pairs: Sequence[tuple[Case, Case]]) -> Figure:
    """Mean intersection over union of the places that two readers marked for the same finding of the same film."""
    return _mean(
        [
            (outline_iou(marked_place(one.region), marked_place(other.region)), one.patient)
            for one, other in pairs
            if one.region is not None and other.region is not None
        ]
    )


def accepted_regions(cases: Iterable[Case]) -> Figure:
    """Share of findings that model and reader call present of which the reader lets the model's region stand."""
    judged = [case for case in cases if case.called and case.answer in (Answer.AGREE, Answer.WRONG_REGION)]
    if not judged:
        return nothing()
    return share_figure([case.answer is Answer.AGREE for case in judged], [case.patient for case in judged])


def _mean(pairs: Sequence[tuple[float, str]]) -> Figure:
    if not pairs:
        return nothing()
    values, patients = zip(*pairs, strict=True)
    return mean_figure(values, patients)


def _regions(regions: Sequence[Mapping[str, Any]]) -> Place:
    first = [region for region in regions if region["rule"] == regions[0]["rule"]]
    return tuple(_outline(region) for region in first)


def _outline(region: Mapping[str, Any]) -> tuple[Point, ...]:
    contour = tuple(Point(x, y) for x, y in region["contour"])
    if len(contour) >= 3:
        return contour
    return box_outline(Box(region["x"], region["y"], region["width"], region["height"]))
