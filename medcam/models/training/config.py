"""Everything that decides a training run, in one value that is written beside its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from medcam.core.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of the random changes made to a film; a matched pair gets the same geometry.

    Args:
        shift: Largest shift, as a share of the film's side.
        turn: Largest rotation in degrees.
        zoom: Largest relative change of size.
        flip: Probability of a left-right flip.
        gamma: Range of the contrast exponent.
        noise: Standard deviation of added noise, in units of the film's own.
        hide: Probability that patches are hidden.
    """

    shift: float = 0.12
    turn: float = 10.0
    zoom: float = 0.15
    flip: float = 0.5
    gamma: tuple[float, float] = (0.75, 1.35)
    noise: float = 0.05
    hide: float = 0.0


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a film a finding covers, and which way it changes it: known beforehand, without any film's truth.

    Args:
        smallest: Share of the film that even a small one covers; the strongest cells of that share must say yes.
        largest: Share that not even a large one exceeds; the cells beyond it must say no.
        darker: Whether it lets more of the beam through than what it displaces, as air does; all else is denser.
    """

    smallest: float = 0.004
    largest: float = 0.25
    darker: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.smallest <= self.largest <= 1.0:
            raise InvalidValueError("an extent needs 0 < smallest <= largest <= 1")


@dataclass(frozen=True, slots=True)
class Objective:
    """Weights of the losses; see `medcam.models.training.losses`.

    Args:
        gap: Cross-entropy of the reported logit (by the head: for GAP the mean of the map + bias).
        positives: In a film with the finding, the strongest cells must say yes, as many as its smallest extent has.
        negatives: Every cell of a film without the finding must say no.
        background: In a film with the finding, the cells beyond its largest extent must say no.
        pairs: In a film with the finding, its cells must say yes where the matched partner without it differs, and no
            where the two are the same.
        masks: Cross-entropy and Dice of the cells against the finding's mask: dense supervision, which needs outlines
            in the training films and is nought by default.
        boxes: In a film with the finding whose place somebody marked, the cells inside must say yes and the others no:
            mixed supervision (Li et al. 2018), where a few films have boxes; those without learn as they do elsewhere.
        positive_weight: Weight of a positive label in the cross-entropies; None balances by prevalence.
        extents: Extent per finding; those not named get the default.
    """

    gap: float = 1.0
    positives: float = 1.0
    negatives: float = 1.0
    background: float = 1.0
    pairs: float = 1.0
    masks: float = 0.0
    boxes: float = 0.0
    positive_weight: float | None = 1.0
    extents: Mapping[str, Extent] = field(default_factory=dict)

    def extent(self, name: str) -> Extent:
        """The extent of a finding."""
        return self.extents.get(name, Extent())


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One training run.

    Args:
        backbone: Registry name.
        backbone_options: Its options (stride, padding_mode, widths).
        head: Registry name of the pooling head.
        head_options: Options of the classifier's tail (finding_units, nonnegative, and the head's own).
        epochs: Passes over the set.
        batch: Films per step; a matched pair counts as two.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: AdamW's.
        average: Decay of the moving average of weights that is validated and kept.
        focus_by: Share of the epochs after which the extents count in full; 0 from the start.
        frozen: The backbone's weights and statistics stay as they are: the head alone learns.
        patience: Epochs without a better validation score after which training stops; 0 never stops early.
        seed: Decides initial weights, order and augmentation.
        threads: CPU threads; 0 leaves torch's own choice.
    """

    backbone: str = "resnet"
    backbone_options: dict[str, Any] = field(default_factory=dict)
    head_options: dict[str, Any] = field(default_factory=dict)
    head: str = "gap"
    objective: Objective = field(default_factory=Objective)
    augmentation: Augmentation = field(default_factory=Augmentation)
    epochs: int = 12
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    average: float = 0.998
    focus_by: float = 0.2
    frozen: bool = False
    patience: int = 0
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or self.learning_rate <= 0:
            raise InvalidValueError("training needs at least one epoch, a batch of two and a positive learning rate")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
