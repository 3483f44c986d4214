"""Two processes train one network, as `torchrun` starts them: on the CPU, joined by Gloo."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

WORK = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
import numpy as np
from medcam.models.training.config import Augmentation, TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.loop import Trainer
from medcam.models.training.network import new_classifier
from medcam.models.training.processes import joined

small = {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [4, 4, 4, 4]}
config = TrainingConfig(backbone="resnet", backbone_options=small, epochs=2, batch=8, threads=1)
folder = Path(sys.argv[1])

def made(count, seed):
    images = np.random.default_rng(seed).normal(0.0, 1.0, (count, 64, 64)).astype(np.float16)
    labels = (np.arange(count) % 2).astype(np.int8)[:, None]
    return Films(("A",), images, labels, 1000 * seed + np.arange(count), np.full(count, -1))

with joined() as team:
    films = made(24, 1), made(8, 2)
    told = []
    trainer = Trainer(new_classifier(config, 1), *films, config, folder / "run", team=team)
    history = trainer.run(told.append)
    torch.save(trainer.module.state_dict(), folder / f"{team.rank}.pt")
    (folder / f"{team.rank}.txt").write_text(f"{team.size} {len(told)} {len(history)}")
"""


@pytest.mark.timeout(240)
def test_two_processes_hold_the_same_weights(tmp_path: Path) -> None:
    script = tmp_path / "work.py"
    script.write_text(WORK)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    common |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-W", "error::FutureWarning", str(script), str(tmp_path)]
    runs = [
        subprocess.Popen(command, env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}, stderr=subprocess.PIPE)
        for rank in range(2)
    ]
    errors = [run.communicate(timeout=200)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    # Each process learnt from other films and drew other changes; only the first one reported.
    assert [(tmp_path / f"{rank}.txt").read_text() for rank in range(2)] == ["2 2 2", "2 0 2"]
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
