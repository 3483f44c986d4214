"""The side panel: everything in words and numbers, beside the film and never on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from medcam.core.activation import CAM, ActivationMap
from medcam.core.arrays import ByteArray
from medcam.core.card import RegionRule, RegionRuleKind
from medcam.core.explanation import RESEARCH_USE, ModelReference, OutOfDistribution
from medcam.core.finding import Evidence, Finding, Region
from medcam.overlay.blend import Shading
from medcam.overlay.marks import BOX_COLOUR, CONTOUR_COLOUR, QUIET_COLOUR
from medcam.overlay.typeset import AMBER, INK, MUTED, TEXT, Column, plain, text_width

_SHOWN_REGIONS = 3


@dataclass(frozen=True, eq=False)
class Caption:
    """What the panel says.

    Args:
        finding: The finding shown.
        model: The model that spoke.
        rule: The region rule behind outline and threshold.
        regions: The regions drawn.
        shading: Colours and threshold.
        highest: Highest value of the map on the film, in logit units per cell.
        comparable: Whether the colour scale is the same for every image of the model.
        sees_all: Whether the model saw the whole film.
        by_rule: Whether the threshold of the colours is the rule's, or somebody's choice.
    """

    finding: Finding
    model: ModelReference
    rule: RegionRule
    regions: tuple[Region, ...]
    shading: Shading
    highest: float
    comparable: bool
    sees_all: bool
    by_rule: bool = True

    @property
    def quiet(self) -> bool:
        """Whether the finding is absent or withheld: its regions are then drawn thin and grey."""
        return not self.finding.present


def draw_panel(caption: Caption, width: int, unit: float) -> ByteArray:
    """The panel as uint8 RGB [as high as needed, width, 3]; `unit` scales all sizes, 1 for a film of 1024 pixels."""
    column = Column(width, round(22 * unit))
    _head(column, caption.finding, unit)
    _ledger(column, caption.finding, unit)
    _legend(column, caption, unit)
    _key(column, caption, unit)
    return column.finished()


def draw_foot(caption: Caption, width: int, unit: float) -> ByteArray:
    """The panel's foot, with model, method and intended use: uint8 RGB."""
    column, size = Column(width, round(22 * unit)), round(15 * unit)
    model, activation = caption.model, caption.finding.map
    column.rule()
    column.space(12 * unit)
    column.row("Model", f"{model.name} {model.version}".strip(), size)
    if model.weights_sha256:
        column.row("Weights", model.weights_sha256[:12], size)
    column.row("Map", f"{activation.method}, {activation.height} x {activation.width} cells", size)
    if activation.layer:
        column.row("Layer", activation.layer, size)
    column.space(8 * unit)
    column.text("A map highlights; it never proves.", size, MUTED)
    column.text(RESEARCH_USE, round(16 * unit))
    return column.finished()


def draw_warning(ood: OutOfDistribution, width: int, unit: float) -> ByteArray:
    """The strip over a picture of an input unlike the training data: uint8 RGB [as high as needed, width, 3]."""
    words = (
        "OUT OF DISTRIBUTION: this image is unlike the films the model was trained on. Its results are not reliable."
    )
    if ood.score is not None and ood.threshold is not None:
        words += f" Score {number(ood.score)}, flagged over {number(ood.threshold)}."
    column = Column(width, round(12 * unit), AMBER)
    column.text(words, round(17 * unit), INK)
    return column.finished()


def number(value: float) -> str:
    """A value in at most three significant digits, without exponents between 0.001 and 100000."""
    if value == 0.0:
        return "0"
    if abs(value) >= 100.0:
        return f"{value:.0f}" if abs(value) < 1e5 else f"{value:.2e}"
    return f"{value:.3g}" if abs(value) >= 1e-3 else f"{value:.1e}"


def _head(column: Column, finding: Finding, unit: float) -> None:
    name = finding.name.replace("-", " ").replace("_", " ").strip()
    column.text(name[:1].upper() + name[1:], _fitting(name, column.inner_width, round(30 * unit), round(19 * unit)))
    if finding.code is not None:
        column.text(f"{finding.code.scheme} {finding.code.value}", round(15 * unit), MUTED)
    column.space(8 * unit)
    if finding.present is None:
        column.badge("WITHHELD", round(16 * unit), AMBER, filled=False)
    elif finding.present:
        column.badge("PRESENT", round(16 * unit), TEXT, filled=True)
    else:
        column.badge("ABSENT", round(16 * unit), MUTED, filled=False)
    column.space(12 * unit)
    column.row("Probability", f"{finding.probability:.3f}", round(22 * unit), (TEXT, TEXT))
    column.space(2 * unit)
    column.bar(finding.probability, finding.threshold, round(8 * unit))
    column.space(3 * unit)
    column.row("Operating threshold", f"{finding.threshold:.3f}", round(15 * unit), (AMBER, AMBER))
    column.space(10 * unit)


def _ledger(column: Column, finding: Finding, unit: float) -> None:
    size = round(17 * unit)
    column.rule()
    column.space(10 * unit)
    evidence: Evidence | None = finding.evidence
    if evidence is not None:
        column.row("Evidence for", f"{evidence.total_positive:+.2f}", size)
        column.row("Evidence against", f"{evidence.total_negative:+.2f}", size)
        column.row("Bias", f"{evidence.bias:+.2f}", size)
        column.space(3 * unit)
        column.rule()
        column.space(4 * unit)
    column.row("Logit", f"{finding.logit:+.2f}", size, (TEXT, TEXT))
    if not finding.map.ledger:
        column.text("No ledger: the map does not add up to the logit.", round(15 * unit), MUTED)
    column.space(10 * unit)


def _legend(column: Column, caption: Caption, unit: float) -> None:
    shading, size = caption.shading, round(15 * unit)
    column.rule()
    column.space(12 * unit)
    column.text(_what(caption.finding.map), round(17 * unit))
    column.space(4 * unit)
    low = -shading.full_scale if shading.signed else 0.0
    share = float(np.clip((caption.highest - low) / (shading.full_scale - low), 0.0, 1.0))
    over = " (over the scale)" if caption.highest > shading.full_scale * 1.0005 else ""
    column.labels({share: f"peak {number(caption.highest)}{over}"}, size)
    if caption.highest > low:
        column.pointer(share, round(7 * unit))
    ramp = np.linspace(low, shading.full_scale, column.inner_width, dtype=np.float32)[None]
    strip = shading.blend(np.full(ramp.shape, 96, dtype=np.uint8), ramp)
    column.picture(np.repeat(strip, round(18 * unit), axis=0))
    column.space(3 * unit)
    middle = (low + shading.full_scale) / 2
    column.labels({0.0: number(low), 0.5: number(middle), 1.0: number(shading.full_scale)}, size)
    column.space(2 * unit)
    if caption.comparable:
        column.text("Absolute scale: the same for every image of this model.", size, MUTED)
    else:
        column.text("Scaled to this image: do not compare colours between images.", size, AMBER)
    column.space(10 * unit)


def _what(activation: ActivationMap) -> str:
    if activation.ledger:
        return "Evidence per cell, in logit units"
    if activation.method == CAM:
        return "Class map, no ledger of the logit"
    return f"Map by {activation.method}, no ledger"


def _key(column: Column, caption: Caption, unit: float) -> None:
    size = round(16 * unit)
    column.rule()
    column.space(12 * unit)
    if caption.highest <= 0.0:
        ledger = caption.finding.map.ledger
        column.text("No positive evidence on this film." if ledger else "The map is nowhere above 0.", size)
    elif not caption.regions:
        column.text("No region passes the rule.", size)
    else:
        why = "withheld" if caption.finding.present is None else "absent"
        words = f"Outline and peak; thin, since {why}" if caption.quiet else "Outline, box and peak"
        column.beside(_sample_mark(unit, caption.quiet), words, size)
        column.space(8 * unit)
        whole = "the evidence for" if caption.finding.map.ledger else "the map above 0"
        for place, region in enumerate(caption.regions[:_SHOWN_REGIONS], start=1):
            column.row(f"Region {place}", f"{100 * region.share:.0f} % of {whole}", size)
        if len(caption.regions) > _SHOWN_REGIONS:
            column.text(f"and {len(caption.regions) - _SHOWN_REGIONS} smaller", size, MUTED)
    if caption.highest > 0.0:
        column.space(4 * unit)
        column.text(_rule_words(caption), round(15 * unit), MUTED)
    if not caption.sees_all:
        column.text("Grey frame: the part that the model saw.", round(15 * unit), MUTED)
    column.space(4 * unit)


def _rule_words(caption: Caption) -> str:
    rule, over = caption.rule, f"Coloured over {number(caption.shading.threshold)}"
    if not caption.by_rule:
        return f"{over}, as was asked for; outline by the {rule.name} rule."
    if rule.kind is RegionRuleKind.PEAK_FRACTION:
        return f"{over} ({rule.name} rule: {100 * rule.threshold:.0f} % of the peak)."
    return f"{over} ({rule.name} rule)."


def _sample_mark(unit: float, quiet: bool) -> ByteArray:
    height, width = round(30 * unit), round(40 * unit)
    sample = np.full((height, width, 3), 70, dtype=np.uint8)
    line = max(1, round(2 * unit))
    thin, middle = max(1, line - 1), (width // 2, height // 2)
    axes = (width // 2 - round(4 * unit), height // 2 - round(4 * unit))
    if not quiet:
        cv2.rectangle(sample, (2, 2), (width - 3, height - 3), BOX_COLOUR, thin, cv2.LINE_AA)
    colour = QUIET_COLOUR if quiet else CONTOUR_COLOUR
    cv2.ellipse(sample, middle, axes, 0, 0, 360, colour, thin if quiet else line, cv2.LINE_AA)
    cv2.drawMarker(sample, middle, BOX_COLOUR, cv2.MARKER_CROSS, round(9 * unit), thin)
    return sample


def _fitting(text: str, width: int, largest: int, smallest: int) -> int:
    """The largest size at which a text needs one line, or the smallest allowed."""
    sizes = (size for size in range(largest, smallest, -1) if text_width(plain(text), size) <= width)
    return next(sizes, smallest)
