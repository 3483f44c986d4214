"""Mixed supervision: a few films with boxes beside many without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from medcam.core.errors import UsageError
from medcam.models.training.config import Objective, TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.loop import Trainer
from medcam.models.training.losses import box_loss, outlined
from medcam.models.training.network import new_classifier


def boxed(size: int = 8) -> torch.Tensor:
    """One film, one finding, a box over a quarter of the film."""
    masks = torch.zeros(1, 1, size, size)
    masks[..., : size // 2, : size // 2] = 1.0
    return masks


def test_inside_says_yes_and_outside_no() -> None:
    masks = boxed()
    right, wrong = 8.0 * (2.0 * masks - 1.0), 8.0 * (1.0 - 2.0 * masks)
    known = torch.tensor([[True]])
    assert box_loss(right, masks, known) < 0.01
    assert box_loss(wrong, masks, known) > 10.0
    assert box_loss(wrong, masks, ~known) == 0.0


def test_both_sides_weigh_the_same_however_small_the_box() -> None:
    masks = torch.zeros(1, 1, 8, 8)
    masks[..., 3, 3] = 1.0
    value = box_loss(torch.zeros(1, 1, 8, 8), masks, torch.tensor([[True]]))
    torch.testing.assert_close(value, 2.0 * F.softplus(torch.tensor(0.0)))


def test_a_mark_smaller_than_a_cell_asks_for_that_cell() -> None:
    masks = torch.zeros(1, 1, 64, 64)
    masks[..., 9, 9] = 1.0
    cells = torch.full((1, 1, 8, 8), -9.0)
    missed = box_loss(cells, masks, torch.tensor([[True]]))
    cells[..., 1, 1] = 9.0
    assert box_loss(cells, masks, torch.tensor([[True]])) < 0.01 < missed


def test_only_findings_that_are_present_and_marked_are_outlined() -> None:
    masks = torch.cat([boxed(), boxed(), torch.zeros(1, 1, 8, 8)])
    labels = torch.tensor([[1.0], [0.0], [1.0]])
    assert outlined(masks, labels).tolist() == [[True], [False], [False]]


def test_boxes_on_some_films_teach_where(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    """Labels and boxes alone, without pairs: better placed than labels alone after as many steps."""
    assert toy_train.masks is not None
    some = toy_train.masks.copy()
    some[24:] = False
    films = replace(toy_train, masks=some, partners=np.full(len(toy_train), -1))
    weak = Objective(pairs=0.0, extents=toy_config.objective.extents)
    placed = {}
    for boxes in (0.0, 1.0):
        config = replace(toy_config, epochs=6, objective=replace(weak, boxes=boxes))
        trainer = Trainer(new_classifier(config, 1), films, toy_held_back, config, tmp_path / str(boxes))
        history = trainer.run()
        assert ("boxes" in history[0].loss) == bool(boxes)
        placed[boxes] = history[-1].validation.iou[0]
    assert placed[1.0] > placed[0.0] + 0.05


def test_boxes_without_places_are_refused(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    config = replace(toy_config, objective=replace(toy_config.objective, boxes=1.0))
    with pytest.raises(UsageError) as caught:
        Trainer(new_classifier(config, 1), replace(toy_train, masks=None), toy_held_back, config, tmp_path)
    assert caught.value.code == "training-config"


def test_a_frozen_backbone_stays_as_it_is(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    config = replace(toy_config, frozen=True, epochs=1)
    classifier = new_classifier(config, 1)
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    trainer = Trainer(classifier, toy_train, toy_held_back, config, tmp_path)
    trainer.run()
    after = trainer.classifier.state_dict()
    same = {name for name, value in before.items() if torch.equal(value, after[name].cpu())}
    assert {name for name in before if name.startswith("backbone.")} <= same
    assert "units.weight" not in same
