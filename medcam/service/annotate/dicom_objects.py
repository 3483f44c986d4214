"""The DICOM objects of one explained film: which of them there are, and what goes into each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from medcam.cam.regions import region_mask
from medcam.core.arrays import FloatArray
from medcam.core.card import FindingCard, ModelCard
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding
from medcam.core.resample import Sampler
from medcam.dicom import (
    AlgorithmIdentity,
    Dataset,
    Making,
    Mark,
    Segment,
    SourceContext,
    encode_dataset,
    write_key_objects,
    write_maps,
    write_presentation,
    write_regions,
    write_report,
    write_secondary_capture,
)
from medcam.overlay.film import Film
from medcam.service.annotate.options import CAPTURE_SIDE, Output
from medcam.service.annotate.pictures import draw_sheet, findings_to_draw


@dataclass(frozen=True, eq=False)
class ObjectPlan:
    """All that the objects of one film are made of.

    Args:
        explanation: What was found.
        context: The source's patient, study and identity.
        card: The model's card.
        request: Digest of what was asked for; becomes part of every UID.
        record: explanation.json, UTF-8, which the report keeps.
        software: medcam's version.
        requested: Findings asked for; empty for those that are present.
        sheet: The reduced film for the Secondary Capture, None where none is wanted.
        sheet_side: Most pixels along the longer side of the Secondary Capture.
    """

    explanation: Explanation
    context: SourceContext = field(repr=False)
    card: ModelCard
    request: str
    record: bytes = field(repr=False)
    software: str
    requested: tuple[str, ...] = ()
    sheet: Film | None = field(default=None, repr=False)
    sheet_side: int = CAPTURE_SIDE

    @property
    def making(self) -> Making:
        """What the objects' UIDs and dates come from."""
        model = self.explanation.model
        identity = AlgorithmIdentity(model.name, model.version, model.weights_sha256, self.software)
        return Making(self.context, identity, self.request, self.explanation.created or datetime.now(UTC))

    @property
    def present(self) -> tuple[Finding, ...]:
        """The findings that are present; none where the answer is withheld."""
        return tuple(finding for finding in self.explanation.findings if finding.present)


def encoded_objects(plan: ObjectPlan, outputs: tuple[Output, ...]) -> list[tuple[str, bytes]]:
    """File name and bytes of each object of a film, whole DICOM files; arguments and errors as in `make_objects`."""
    return [(name, encode_dataset(made)) for name, made in make_objects(plan, outputs)]


def make_objects(plan: ObjectPlan, outputs: tuple[Output, ...]) -> Iterator[tuple[str, Dataset]]:
    """Yields (file name, object) of a film.

    A film without a finding that is present gets no segmentation, key object selection or presentation state: there is
    nothing to outline or to point at. The report says so in every case.

    Args:
        plan: What they are made of.
        outputs: Which kinds.

    Raises:
        InputError: The source's attributes do not allow a valid object.
    """
    if Output.SC in outputs and plan.sheet is not None:
        drawn = findings_to_draw(plan.explanation, plan.requested)
        yield (
            "sc.dcm",
            write_secondary_capture(
                draw_sheet(plan.sheet, plan.explanation, drawn, plan.card, plan.sheet_side), plan.making
            ),
        )
    if Output.SR in outputs:
        yield "sr.dcm", write_report(plan.explanation, plan.record, plan.making)
    if not plan.present:
        return
    if Output.SEG in outputs:
        yield from _segmentations(plan)
    if Output.KO in outputs:
        yield "ko.dcm", write_key_objects([finding.name for finding in plan.present], plan.making)
    if Output.GSPS in outputs:
        yield "gsps.dcm", write_presentation(_marks(plan), plan.making)


def _segmentations(plan: ObjectPlan) -> Iterator[tuple[str, Dataset]]:
    cards = {card.name: card for card in plan.card.findings}
    rows, columns = plan.context.rows, plan.context.columns
    rules = {finding.name: cards[finding.name].rule_for(finding.map.method) for finding in plan.present}
    regions = [
        Segment(finding.name, finding.code, region_mask(finding.map, rules[finding.name], rows, columns))
        for finding in plan.present
    ]
    outlined = [segment for segment in regions if segment.pixels.any()]
    if outlined:
        yield "seg.dcm", write_regions(outlined, plan.making)
    maps = [
        Segment(finding.name, finding.code, *_shares(finding, cards[finding.name], rows, columns))
        for finding in plan.present
    ]
    yield "seg-map.dcm", write_maps(maps, plan.making)


def _shares(finding: Finding, card: FindingCard, rows: int, columns: int) -> tuple[FloatArray, str]:
    """The positive part of a map over the source, float32, 0 to 1 of a scale, and the words that name the scale.

    The scale of an exact map is the card's; one by another method is a share of its own highest value.
    """
    method = finding.map.method
    values = Sampler.to_source(finding.map.transform, rows, columns).apply(finding.map.values)
    common = card.scale_for(method)
    scale = max(float(values.max()), 1e-6) if common is None else common
    what = "Class activation" if common else f"Map by {method}"
    over = "logit units per cell and more" if common else "in the map, its highest value on this film"
    words = f"{what}, positive part. A value of 1 stands for {scale:.4g} {over}; not a probability. Research use."
    return np.asarray(np.clip(values / scale, 0.0, 1.0), dtype=np.float32), words


def _marks(plan: ObjectPlan) -> list[Mark]:
    """The strongest region of each finding that is present."""
    return [
        Mark(finding.name, finding.regions[0].box, f"{finding.name} {finding.probability:.2f}")
        for finding in plan.present
        if finding.regions
    ]
