"""The network that all are measured on, as files: for plain scripts, and as a model folder of this package."""

from __future__ import annotations

from pathlib import Path

import torch

from medcam.core.card import FindingCard, InputRecipe, ModelCard
from medcam.experiments.bench.peers.check import exact_maps
from medcam.experiments.bench.peers.peer import LINEAR
from medcam.experiments.bench.peers.subject import FINDINGS, Subject
from medcam.models.classifier import build_classifier
from medcam.models.files import save_model

SIDE = 224
FINDING_NAMES = tuple(f"Finding {number}" for number in range(FINDINGS))


def save_for_scripts(path: Path, subject: Subject) -> None:
    """Writes the network's state as torch's documentation advises."""
    torch.save(subject.network.state_dict(), path)


def save_as_model(folder: Path, subject: Subject) -> float:
    """Writes the same network as a model folder.

    Returns:
        Largest difference of a logit between the two, on the subject's films.
    """
    findings = tuple(FindingCard(name) for name in FINDING_NAMES)
    card = ModelCard("bench", "0", findings, InputRecipe(SIDE, SIDE), "densenet121", layer="class_layers.relu")
    classifier = build_classifier(card).eval()
    linear = subject.network.get_submodule(LINEAR)
    features = {name: value for name, value in subject.network.state_dict().items() if name.startswith("features.")}
    missing, unexpected = classifier.backbone.network.load_state_dict(features, strict=False)
    assert not unexpected
    assert all(name.startswith("class_layers.") for name in missing)
    with torch.no_grad():
        classifier.head.weight.copy_(torch.as_tensor(linear.weight))
        classifier.head.bias.copy_(torch.as_tensor(linear.bias))
        apart = classifier(subject.films).logits.double() - exact_maps(subject)[1]
    save_model(folder, classifier, card, half=False)
    return float(apart.abs().max())
