"""The upper reference: MONAI's U-Net, trained with the masks themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from monai.losses import DiceLoss
from monai.networks.nets import UNet
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.errors import UsageError
from medcam.models.training.augment import Augmenter, step_seed
from medcam.models.training.films import Films
from medcam.models.training.loop import has_fast_bfloat16
from medcam.service.comparison.figures import Outputs
from medcam.service.comparison.films import ComparisonFilms, ComparisonPlan
from medcam.service.training.small_network import GENTLE

CHANNELS = (16, 32, 64, 128)
_BATCH, _RATE = 16, 2e-3


@dataclass(frozen=True, slots=True)
class Segmented:
    """Trains a U-Net for one seed; its maps are probabilities, its image logit the mean of the highest hundredth.

    Args:
        plan: How much.
        threads: CPU threads; 0 leaves torch's own choice.
    """

    plan: ComparisonPlan
    threads: int

    def __call__(self, films: ComparisonFilms, seed: int, folder: Path) -> tuple[Outputs, Outputs]:
        """Trains once."""
        network = train_segmenter(films.train, self.plan.epochs, seed, self.threads)
        return segment(network, films.tuning), segment(network, films.test)


def train_segmenter(films: Films, epochs: int, seed: int, threads: int = 0) -> UNet:
    """Trains by cross-entropy and soft Dice (Ronneberger et al. 2015; Milletari et al. 2016), on a one-cycle schedule.

    Args:
        films: With masks of the films' own resolution, or coarser ones.
        epochs: Passes over the films.
        seed: Of weights, order and augmentation.
        threads: CPU threads; 0 leaves torch's own choice.

    Raises:
        UsageError: The films have no masks.
    """
    if films.masks is None:
        raise UsageError("a segmentation network is trained on films with masks")
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = UNet(2, 1, len(films.names), CHANNELS, (2,) * (len(CHANNELS) - 1)).to(device)
    half, steps = has_fast_bfloat16(device), max(1, len(films) // _BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps * epochs, pct_start=0.15)
    augmenter, dice = Augmenter(GENTLE), DiceLoss(sigmoid=True, batch=True)
    network.train()
    for epoch in range(epochs):
        order = np.random.default_rng((seed, epoch)).permutation(len(films))
        for step in range(steps):
            index = order[step * _BATCH : (step + 1) * _BATCH]
            images, masks = _augmented(films, index, augmenter, step_seed(seed, epoch, step), device)
            with torch.autocast(device.type, enabled=half, dtype=torch.bfloat16):
                logits = network(images)
            logits = logits.float()
            loss = F.binary_cross_entropy_with_logits(logits, masks) + dice(logits, masks)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
    return network.eval()


def _augmented(
    films: Films, index: npt.NDArray[np.int64], augmenter: Augmenter, seed: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    assert films.masks is not None
    images = torch.from_numpy(films.images[index].astype(np.float32))[:, None].to(device)
    masks = torch.from_numpy(films.masks[index].astype(np.float32)).to(device)
    side = images.shape[-1]
    moved = augmenter.move(masks, seed, paired=False)
    return augmenter(images, seed, paired=False), F.interpolate(moved, (side, side)).round()


@torch.inference_mode()
def segment(network: UNet, films: Films, batch: int = 32) -> Outputs:
    """Probabilities [n, findings, h, w] of each pixel as maps, and image logits."""
    device = next(network.parameters()).device
    maps, logits = [], []
    for start in range(0, len(films), batch):
        images = torch.from_numpy(films.images[start : start + batch].astype(np.float32))[:, None].to(device)
        cells = network(images).float()
        highest = cells.flatten(2).topk(max(1, cells[0, 0].numel() // 100), dim=2).values
        maps.append(torch.sigmoid(cells).half().float().cpu().numpy())
        logits.append(highest.mean(dim=2).cpu().numpy())
    return Outputs(np.concatenate(maps), np.concatenate(logits))
