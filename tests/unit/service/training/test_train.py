"""Training as a use case: a model folder that loads, with figures of films that it never saw."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.models.registry import load_model
from medcam.models.training.config import Augmentation, TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.network import new_classifier
from medcam.service.training.train import Provenance, split_sets, take_over, train_model

TOY = TrainingConfig(
    backbone="resnet",
    backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
    head_options={"finding_units": True},
    augmentation=Augmentation(shift=0.0, turn=0.0, zoom=0.0),
    epochs=2,
    batch=4,
    learning_rate=3e-3,
    threads=1,
)
ORIGIN = Provenance("toys", "CC0-1.0", "medcam train --data toys")


@pytest.fixture(scope="module")
def bright_films() -> Films:
    """Half of the films are brighter on one side."""
    rng = np.random.default_rng(0)
    images = rng.normal(0.0, 0.2, (60, 64, 64))
    labels = (np.arange(60) % 2).astype(np.int8)[:, None]
    images[labels[:, 0] == 1, 16:48, 32:] += 1.0
    return Films(("Bright",), images.astype(np.float16), labels, np.arange(60), np.full(60, -1))


def test_a_run_writes_a_model_that_loads_and_remembers_where_it_came_from(bright_films: Films, tmp_path: Path) -> None:
    sets = split_sets(bright_films, 1)
    card = train_model("toy", sets, TOY, tmp_path, provenance=ORIGIN)
    model = load_model(tmp_path)
    assert model.card == card
    assert (card.training_data, card.training_licence) == ("toys", "CC0-1.0")
    assert card.findings[0].performance["auc"].value > 0.8
    history = json.loads((tmp_path / "history.json").read_text())
    assert [row["epoch"] for row in history] == [1, 2]
    assert (tmp_path / "curves.svg").read_text().startswith("<svg")
    again = train_model("toy", sets, TOY, tmp_path, provenance=ORIGIN)
    assert again.weights_sha256 == card.weights_sha256


def test_patients_of_the_three_sets_differ(bright_films: Films) -> None:
    sets = split_sets(bright_films, 1)
    patients = [set(films.patients.tolist()) for films in (sets.train, sets.validation, sets.calibration)]
    assert [len(group) for group in patients] == [42, 9, 9]
    assert len(set.union(*patients)) == 60


def test_a_backbone_is_taken_over_and_a_head_never() -> None:
    source, target = new_classifier(replace(TOY, seed=1), 1), new_classifier(replace(TOY, seed=2), 1)
    head = target.head.weight.detach().clone()
    source.head.weight.data.fill_(7.0)
    assert take_over(target, source) > 10
    assert bool((target.backbone.network.conv1.weight == source.backbone.network.conv1.weight).all())  # type: ignore[union-attr, operator]
    assert bool((target.head.weight == head).all())


def test_networks_without_a_common_layer_are_refused() -> None:
    other = replace(
        TOY, backbone="densenet", backbone_options={"stride": 8, "init_features": 8, "block_config": (2, 2)}
    )
    with pytest.raises(UsageError) as caught:
        take_over(new_classifier(replace(TOY, head_options={}), 3), new_classifier(replace(other, head_options={}), 2))
    assert caught.value.code == "training-start"


def test_what_cannot_be_calibrated_is_refused_before_training(bright_films: Films, tmp_path: Path) -> None:
    config = replace(TOY, head_options={"nonnegative": True})
    with pytest.raises(UsageError) as caught:
        train_model("toy", split_sets(bright_films, 1), config, tmp_path / "out", provenance=ORIGIN)
    assert caught.value.code == "training-config"
    assert not (tmp_path / "out").exists()
