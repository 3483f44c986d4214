"""Where channels may lie last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from medcam.models.training.config import TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.layout import learning_layout
from medcam.models.training.loop import Trainer
from medcam.models.training.network import new_classifier


@pytest.mark.parametrize(
    ("convolution", "layout"),
    [
        (nn.Conv2d(7, 64, 1, stride=2), torch.contiguous_format),
        (nn.Conv2d(4, 4, 1, stride=3), torch.contiguous_format),
        (nn.Conv2d(8, 64, 1, stride=2), torch.channels_last),
        (nn.Conv2d(4, 4, 1), torch.channels_last),
        (nn.Conv2d(1, 64, 7, stride=2), torch.channels_last),
    ],
)
def test_a_narrow_strided_1x1_convolution_keeps_channels_first(
    convolution: nn.Conv2d, layout: torch.memory_format
) -> None:
    assert learning_layout(nn.Sequential(nn.Conv2d(1, 8, 3), convolution)) is layout


@pytest.mark.parametrize(("widths", "last"), [((4, 4, 4, 4), False), ((8, 8, 8, 8), True)])
def test_a_network_and_its_films_learn_in_one_layout(
    toy_config: TrainingConfig,
    toy_train: Films,
    toy_held_back: Films,
    tmp_path: Path,
    widths: Sequence[int],
    last: bool,
) -> None:
    options = {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": list(widths)}
    config = replace(toy_config, backbone="resnet", backbone_options=options, epochs=1)
    trainer = Trainer(new_classifier(config, 1), toy_train, toy_held_back, config, tmp_path)
    seen: set[bool] = set()
    for module in trainer.classifier.modules():
        if isinstance(module, nn.Conv2d) and module.in_channels > 1:
            module.register_forward_hook(
                lambda _, given, __: seen.add(given[0].is_contiguous(memory_format=torch.channels_last))
            )
    trainer.run()
    assert seen == {last}
