"""The training loop: one-cycle AdamW, a moving average of weights, validation, early stopping, resume."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medcam.core.card import InputRecipe
from medcam.core.errors import ModelError, UsageError
from medcam.models.classifier import GapClassifier
from medcam.models.training.augment import Augmenter, step_seed
from medcam.models.training.checkpoint import read_checkpoint, write_checkpoint
from medcam.models.training.config import TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.layout import learning_layout
from medcam.models.training.losses import MapParameters, objective_loss
from medcam.models.training.processes import Team, alone
from medcam.models.training.sampling import Index, epoch_batches, share_of, steps_per_epoch
from medcam.models.training.validation import Validation, validate


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One line of a run's history."""

    epoch: int
    loss: dict[str, float]
    validation: Validation
    seconds: float


class Trainer:
    """Trains one classifier on one set of films.

    Args:
        classifier: The network; its head's bias must be zero (the trainer keeps the biases while training).
        train: Films to learn from.
        held_back: Films to validate on; no patient in common with `train`.
        config: The run.
        folder: Where `checkpoint.pt` lives.
        parameters: Scale and biases to start with; None for those of a fresh network.
        recipe: How the films were prepared; None for zero mean and unit variance.
        team: The processes that train together; None for this one alone.
    """

    def __init__(
        self,
        classifier: GapClassifier,
        train: Films,
        held_back: Films,
        config: TrainingConfig,
        folder: Path,
        *,
        parameters: MapParameters | None = None,
        recipe: InputRecipe | None = None,
        team: Team | None = None,
    ) -> None:
        self.team = team or alone()
        _check(config, train, held_back, self.team.size)
        if config.threads:
            torch.set_num_threads(config.threads)
        self.device = self.team.device
        self.half = has_fast_bfloat16(self.device)
        self.config, self.train_films, self.held_back, self.folder = config, train, held_back, folder
        self.layout = learning_layout(classifier)
        self.classifier = classifier.to(self.device, memory_format=self.layout)  # type: ignore[call-overload]
        classifier.head.bias.requires_grad_(False)  # zero until training ends: the parameters below keep the biases
        classifier.backbone.requires_grad_(not config.frozen)
        self.parameters = (parameters or MapParameters.of(classifier, len(train.names))).to(self.device)
        self.module = nn.ModuleDict({"classifier": self.classifier, "map_parameters": self.parameters})
        self.average = {name: value.detach().clone() for name, value in self.module.state_dict().items()}
        self.optimizer = torch.optim.AdamW(self._groups(), lr=config.learning_rate, weight_decay=config.weight_decay)
        self.steps = max(1, steps_per_epoch(train, config.batch))
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            [group["lr"] for group in self.optimizer.param_groups],
            total_steps=self.steps * config.epochs,
            pct_start=0.15,
        )
        self.augmenter = Augmenter(config.augmentation, recipe)
        self.positive_weight = self._positive_weight().to(self.device)
        self.history: list[EpochRecord] = []

    def run(self, report: Callable[[EpochRecord], None] = lambda _: None) -> list[EpochRecord]:
        """Trains until the last epoch or until validation stops improving; resumes from the folder's checkpoint.

        Args:
            report: Called after each epoch.

        Returns:
            The history. The classifier holds the averaged weights of the best epoch.
        """
        self._resume()
        self.team.check_alike(self.module)
        while len(self.history) < self.config.epochs and not self._exhausted():
            started = time.monotonic()
            losses = self._epoch(len(self.history))
            validation = self.team.told(self._validated() if self.team.first else None)
            record = EpochRecord(len(self.history), losses, validation, time.monotonic() - started)
            self.history.append(record)
            if self.team.first:
                self._save(best=validation.score >= max(r.validation.score for r in self.history))
                report(record)
        self.team.check_alike(self.module)
        self.team.wait()
        best = read_checkpoint(self.folder / "best.pt")
        assert best is not None
        self.module.load_state_dict(best["average"])
        self.module.eval()
        return self.history

    def _validated(self) -> Validation:
        with _holding(self.module, self.average):
            return validate(self.classifier, self.parameters, self.held_back, half=self.half)

    def _groups(self) -> list[dict[str, Any]]:
        learning = [p for p in self.classifier.parameters() if p.requires_grad or p is self.classifier.head.bias]
        decay = [p for p in learning if p.ndim > 1]
        plain = [p for p in learning if p.ndim <= 1]
        return [
            {"params": decay},
            {"params": plain, "weight_decay": 0.0},
            {"params": list(self.parameters.parameters()), "weight_decay": 0.0, "lr": 10 * self.config.learning_rate},
        ]

    def _positive_weight(self) -> Tensor:
        labels = self.train_films.labels
        if self.config.objective.positive_weight is not None:
            return torch.full((labels.shape[1],), float(self.config.objective.positive_weight))
        positive, negative = (labels == 1).sum(axis=0), (labels == 0).sum(axis=0)
        return torch.from_numpy(np.clip(negative / np.maximum(positive, 1), 0.2, 20.0).astype(np.float32))

    def _epoch(self, epoch: int) -> dict[str, float]:
        self.module.train()
        if self.config.frozen:
            self.classifier.backbone.eval()
        sums: dict[str, float] = {}
        batches = epoch_batches(self.train_films, self.config.batch, self.config.seed, epoch)
        for step, (whole, paired) in enumerate(batches):
            index = share_of(whole, self.team.rank, self.team.size, paired=paired)
            for name, value in self._step(index, epoch, step, paired=paired).items():
                sums[name] = sums.get(name, 0.0) + value / self.steps
        return sums

    def _step(self, index: Index, epoch: int, step: int, *, paired: bool) -> dict[str, float]:
        films = torch.from_numpy(self.train_films.images[index].astype(np.float32))[:, None].to(self.device)
        seed = step_seed(self.config.seed, epoch, step, self.team.rank)
        images = self.augmenter(films, seed, paired=paired)
        labels = torch.from_numpy(self.train_films.labels[index].astype(np.float32)).to(self.device)
        with torch.autocast(self.device.type, enabled=self.half, dtype=torch.bfloat16):
            output = self.classifier(images.contiguous(memory_format=self.layout))
        done = (epoch + step / self.steps) / self.config.epochs
        terms = objective_loss(
            images,
            output,
            self.parameters,
            labels,
            self.config.objective,
            self.train_films.names,
            self.positive_weight,
            paired=paired,
            masks=self._masks(index, seed, paired=paired),
            focus=min(1.0, done / self.config.focus_by) if self.config.focus_by else 1.0,
        )
        if not bool(torch.isfinite(terms["total"])):
            raise ModelError(
                "the loss is no longer a number",
                code="training-diverged",
                next_step="Start again with a lower learning rate; the last checkpoint is kept.",
            )
        self.optimizer.zero_grad(set_to_none=True)
        terms["total"].backward()  # type: ignore[no-untyped-call]
        self.team.average_gradients(self.module)
        nn.utils.clip_grad_norm_(self.module.parameters(), 5.0)
        self.optimizer.step()
        self.scheduler.step()
        self.team.average_statistics(self.module)
        self._update_average()
        return {name: float(value.detach()) for name, value in terms.items()}

    def _masks(self, index: Index, seed: int, *, paired: bool) -> Tensor | None:
        objective = self.config.objective
        if not (objective.masks or objective.boxes) or self.train_films.masks is None:
            return None
        masks = torch.from_numpy(self.train_films.masks[index].astype(np.float32)).to(self.device)
        return self.augmenter.move(masks, seed, paired=paired)

    @torch.no_grad()
    def _update_average(self) -> None:
        # A young average follows the weights quickly, otherwise it would remember the random start.
        seen = self.scheduler.last_epoch
        decay = min(self.config.average, (1 + seen) / (10 + seen))
        for name, value in self.module.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1.0 - decay)
            else:
                self.average[name].copy_(value)

    def _exhausted(self) -> bool:
        scores = [record.validation.score for record in self.history]
        patience = self.config.patience
        return bool(patience and len(scores) > patience and max(scores[-patience:]) < max(scores))

    def _save(self, *, best: bool) -> None:
        state: dict[str, Any] = {
            "config": self.config.as_dict(),
            "module": self.module.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "history": [asdict(record) for record in self.history],
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        if best:
            write_checkpoint(self.folder / "best.pt", {"average": self.average, "epoch": len(self.history) - 1})
        write_checkpoint(self.folder / "checkpoint.pt", state)

    def _resume(self) -> None:
        state = read_checkpoint(self.folder / "checkpoint.pt")
        if state is None:
            return
        # A field that this version added has its default in an older run; threads change the speed alone.
        default = TrainingConfig().as_dict()
        stored = default | state["config"] | {"threads": self.config.threads}
        stored["objective"] = default["objective"] | stored["objective"]
        if stored != self.config.as_dict():
            raise UsageError(
                f"{self.folder} holds a run with another configuration", next_step="Choose another --out folder."
            )
        self.module.load_state_dict(state["module"])
        self.average = {name: value.to(self.device) for name, value in state["average"].items()}
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.history = [
            EpochRecord(**{**record, "validation": Validation(**record["validation"])}) for record in state["history"]
        ]


def _check(config: TrainingConfig, train: Films, held_back: Films, processes: int) -> None:
    """Refuses what cannot be trained."""
    if np.intersect1d(train.patients, held_back.patients).size:
        raise UsageError("training and validation films share patients", next_step="Split by patient.")
    if (config.objective.masks or config.objective.boxes) and train.masks is None:
        raise UsageError(
            "dense and mixed supervision need places of the findings, and the training films have none",
            code="training-config",
            next_step="Give films with masks or boxes, or set objective.masks and objective.boxes to 0.",
        )
    if config.batch % (2 * processes) and processes > 1:
        raise UsageError(
            f"a batch of {config.batch} cannot be shared evenly by {processes} processes",
            code="training-config",
            next_step="Set `batch` to a multiple of twice the number of processes.",
        )


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether mixed precision pays on a device: on GPUs, and on CPUs with AVX-512 BF16 or AMX instructions."""
    return device.type == "cuda" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@contextmanager
def _holding(module: nn.Module, weights: dict[str, Tensor]) -> Iterator[None]:
    """Lends a module other weights for the length of a block."""
    own = {name: value.detach().clone() for name, value in module.state_dict().items()}
    module.load_state_dict(weights)
    try:
        yield
    finally:
        module.load_state_dict(own)
