"""The training loop learns, stops, and goes on after a kill as if nothing had happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medcam.core.errors import UsageError
from medcam.models.training.config import TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.loop import Trainer
from medcam.models.training.network import new_classifier


def trainer(config: TrainingConfig, train: Films, held_back: Films, folder: Path) -> Trainer:
    return Trainer(new_classifier(config, 1), train, held_back, config, folder)


def test_a_network_learns_what_and_where(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    history = trainer(replace(toy_config, epochs=12), toy_train, toy_held_back, tmp_path).run()
    best = max(history, key=lambda record: record.validation.score).validation
    assert best.auc[0] > 0.9
    assert best.pointing[0] > 0.8
    assert history[-1].loss["total"] < 0.5 * history[0].loss["total"]


def test_a_resumed_run_equals_an_unbroken_one(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    whole = trainer(toy_config, toy_train, toy_held_back, tmp_path / "whole")
    whole.run()
    broken = trainer(toy_config, toy_train, toy_held_back, tmp_path / "broken")
    with pytest.raises(KeyboardInterrupt):
        broken.run(interrupt)
    resumed = trainer(toy_config, toy_train, toy_held_back, tmp_path / "broken")
    assert len(resumed.run()) == 2
    ours, theirs = resumed.module.state_dict(), whole.module.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def interrupt(_record: object) -> None:
    raise KeyboardInterrupt


def test_another_configuration_is_refused(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    trainer(replace(toy_config, epochs=1), toy_train, toy_held_back, tmp_path).run()
    with pytest.raises(UsageError, match="another configuration"):
        trainer(replace(toy_config, epochs=1, seed=9), toy_train, toy_held_back, tmp_path).run()


def test_a_run_goes_on_with_other_threads(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    trainer(toy_config, toy_train, toy_held_back, tmp_path).run()
    other = replace(toy_config, threads=1 if toy_config.threads != 1 else 2)
    before = torch.get_num_threads()
    resumed = trainer(other, toy_train, toy_held_back, tmp_path)
    assert len(resumed.run()) == toy_config.epochs
    torch.set_num_threads(before)


def test_shared_patients_are_refused(toy_config: TrainingConfig, toy_train: Films, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="share patients"):
        trainer(toy_config, toy_train, toy_train.subset(np.arange(4)), tmp_path)


def test_a_run_stops_when_nothing_improves(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    patient = replace(toy_config, epochs=30, patience=1, learning_rate=1e-12)
    assert len(trainer(patient, toy_train, toy_held_back, tmp_path).run()) < 30
