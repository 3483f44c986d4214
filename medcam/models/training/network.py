"""A fresh network for a training run."""

from __future__ import annotations

import math

import torch
from torch import nn

from medcam.models.classifier import GapClassifier, new_network
from medcam.models.training.config import TrainingConfig


def new_classifier(config: TrainingConfig, findings: int) -> GapClassifier:
    """A network with random weights by the run's seed.

    Convolutions start by He et al. 2015 (fan out, ReLU). The head's bias is zero and stays so: the trainer keeps scale
    and bias apart and folds them in at the end.
    """
    torch.manual_seed(config.seed)
    classifier = new_network(
        config.backbone, config.backbone_options, {"head": config.head} | config.head_options, findings
    )
    for module in classifier.modules():
        if isinstance(module, nn.Conv2d):
            fan = module.out_channels // module.groups * math.prod(module.kernel_size)
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    if classifier.units is not None and classifier.units.bias is not None:
        # Silent at first: evidence has to be learnt, not unlearnt.
        nn.init.normal_(classifier.units.weight, std=0.02)
        nn.init.constant_(classifier.units.bias, -2.0)
    return classifier
