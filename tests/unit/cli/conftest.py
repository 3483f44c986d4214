"""The command line as a user meets it: output, errors and exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from medcam.cli.main import main
from medcam.core.card import InputRecipe, ModelCard
from medcam.models.classifier import build_classifier
from medcam.models.files import save_model
from medcam.phantom import FINDINGS
from medcam.service.explanations.finding_codes import finding_cards


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def medcam(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs `medcam` with arguments in this process."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["medcam", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of two random networks that differ in their seed alone and know all findings of phantoms."""
    folders = []
    for seed in (3, 4):
        card = ModelCard(
            name=f"tiny-{seed}",
            version="0.1",
            findings=finding_cards(FINDINGS),
            input=InputRecipe(64, 64),
            backbone="resnet",
            backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
            layer="layer4",
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = build_classifier(card)
        folders.append(tmp_path_factory.mktemp("models") / card.name)
        save_model(folders[-1], network, card)
    return folders[0], folders[1]
