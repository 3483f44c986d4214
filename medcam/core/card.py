"""Model cards: what a model is, what it was measured to do, and how it wants its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medcam.core.activation import CAM
from medcam.core.codes import CodedConcept
from medcam.core.errors import InvalidValueError

NO_HEAD = "none"
"""Said on a card in place of a pooling head: the network's tail makes no class activation maps."""


class RegionRuleKind(StrEnum):
    """How a region's threshold is set."""

    PEAK_FRACTION = "peak-fraction"
    ABSOLUTE = "absolute"


@dataclass(frozen=True, slots=True)
class RegionRule:
    """How a map becomes regions.

    Args:
        name: "paper" (20 % of the maximum, largest connected part: Zhou et al. 2015, section 3.2) or "calibrated".
        kind: Threshold as a fraction of the map's maximum, or in logit units.
        threshold: The fraction (0..1) or the value.
        largest_only: Whether only the largest connected part is kept.
        smallest_share: Parts with less than this share of the positive evidence are dropped.
    """

    name: str
    kind: RegionRuleKind
    threshold: float
    largest_only: bool = True
    smallest_share: float = 0.0

    def __post_init__(self) -> None:
        if self.kind is RegionRuleKind.PEAK_FRACTION and not 0.0 <= self.threshold <= 1.0:
            raise InvalidValueError("a fraction of the peak lies between 0 and 1")


PAPER_RULE = RegionRule("paper", RegionRuleKind.PEAK_FRACTION, 0.20)


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured value with its confidence interval."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise InvalidValueError(f"{self.value} lies outside its interval {self.low}..{self.high}")


@dataclass(frozen=True, slots=True)
class FindingCard:
    """One finding of a model.

    Args:
        name: Its name.
        code: SNOMED CT or RadLex code.
        threshold: Operating threshold on the probability.
        region_rule: The calibrated rule.
        map_scale: Upper end of the overlay's absolute colour scale in logit units per cell, the same for every image.
        performance: Measured figures by name ("auc", "pointing", "iou", ...).
    """

    name: str
    code: CodedConcept | None = None
    threshold: float = 0.5
    region_rule: RegionRule = PAPER_RULE
    map_scale: float = 1.0
    performance: Mapping[str, Interval] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise InvalidValueError("an operating threshold lies between 0 and 1")
        if not self.map_scale > 0.0:
            raise InvalidValueError("a colour scale needs a positive end")

    def rule_for(self, method: str) -> RegionRule:
        """The region rule for maps by a method: the card's for class activation maps, which it was calibrated on.

        Other maps have other units and shapes. Theirs is the paper's, a fraction of the peak, which needs no unit.
        """
        return self.region_rule if method == CAM else PAPER_RULE

    def scale_for(self, method: str) -> float | None:
        """`map_scale` for class activation maps; None for maps by another method, which have no common scale."""
        return self.map_scale if method == CAM else None


@dataclass(frozen=True, slots=True)
class InputRecipe:
    """How a radiograph becomes the model's input.

    Args:
        height: Rows of the input.
        width: Columns of the input.
        channels: Equal grey channels.
        intensity: Name of the intensity recipe, see `medcam.models.preprocess`.
        fit: "pad" keeps the whole film on a padded square, "crop" takes the central square.
        black: What the lower end of the intensity recipe becomes, and what is put where there is no film; None, with
            `white`, for zero mean and unit variance over the film and 0 where there is none.
        white: What its upper end becomes.
    """

    height: int
    width: int
    channels: int = 1
    intensity: str = "percentile"
    fit: str = "pad"
    black: float | None = None
    white: float | None = None

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.channels) < 1:
            raise InvalidValueError("an input needs at least one row, column and channel")
        if (self.black is None) != (self.white is None) or (self.black is not None and self.black == self.white):
            raise InvalidValueError("black and white are two different values, or both left out")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything a reader of a result may ask about the model behind it.

    Args:
        name: Registry name.
        version: Of the weights.
        weights_sha256: Digest of the weights file; empty for a network that was never saved.
        findings: In the order of the outputs.
        input: The input recipe.
        backbone: Name of the network.
        backbone_options: Its constructor's options.
        head: Name of the pooling head, "gap" for the ledger; `NO_HEAD` for a network whose tail makes no class maps.
        layer: Name of the layer whose output the maps weight.
        training_data: What it was trained on.
        training_licence: Under which terms.
        training_command: The recorded command.
        intended_use: What for.
        limits: What it must not be used for, and where it fails.
        performance: Overall figures by name.
        out_of_distribution_threshold: Scores above it are flagged; None when the model has no such gate.
        measured_on: What the figures were measured on, and how; empty where nobody measured it here.
        origin: Where the weights came from, with the digest of that file; empty for those that were trained here.
        weights_licence: Under which terms the weights are; empty where nobody said so.
        citation: What to cite.
    """

    name: str
    version: str
    findings: tuple[FindingCard, ...]
    input: InputRecipe
    backbone: str
    backbone_options: Mapping[str, object] = field(default_factory=dict)
    head: str = "gap"
    layer: str = ""
    weights_sha256: str = ""
    training_data: str = ""
    training_licence: str = ""
    training_command: str = ""
    intended_use: str = "Research. Not a medical device."
    limits: tuple[str, ...] = ()
    performance: Mapping[str, Interval] = field(default_factory=dict)
    out_of_distribution_threshold: float | None = None
    measured_on: str = ""
    origin: str = ""
    weights_licence: str = ""
    citation: str = ""

    def __post_init__(self) -> None:
        names = [finding.name for finding in self.findings]
        if not names or len(set(names)) != len(names):
            raise InvalidValueError("a model card needs at least one finding, each named once")

    @property
    def finding_names(self) -> tuple[str, ...]:
        """Names in the order of the outputs."""
        return tuple(finding.name for finding in self.findings)
