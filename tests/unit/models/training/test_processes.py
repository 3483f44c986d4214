"""Several processes train one network: shares of batches, and weights that stay equal."""

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
from medcam.models.training.processes import Team, alone, digest, joined
from medcam.models.training.sampling import share_of


def test_shares_of_a_batch_are_the_batch_and_pairs_stay_together() -> None:
    whole = np.arange(16)
    alone_, first, second = (share_of(whole, rank, size, paired=False) for rank, size in ((0, 1), (0, 2), (1, 2)))
    assert alone_.tolist() == whole.tolist()
    assert sorted([*first, *second]) == whole.tolist()
    for rank in range(4):
        share = share_of(whole, rank, 4, paired=True)
        assert (share[2:] - share[:2] == 8).all()


def test_one_process_is_a_team_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as team:
        assert team == alone()
        assert (team.first, team.told("word")) == (True, "word")
        team.wait()
        team.check_alike(torch.nn.Linear(2, 2))


def test_a_digest_knows_weights_apart() -> None:
    layer = torch.nn.Linear(3, 3)
    before = digest(layer)
    with torch.no_grad():
        layer.weight[1, 1] += 1e-6
    assert digest(layer) != before


def test_a_batch_that_cannot_be_shared_is_refused(
    toy_config: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    config = replace(toy_config, batch=10)
    team = Team(0, 4, torch.device("cpu"))
    with pytest.raises(UsageError, match="batch of 10"):
        Trainer(new_classifier(config, 1), toy_train, toy_held_back, config, tmp_path, team=team)
