"""The small network that experiments on phantoms train in minutes: from labels alone, on films changed gently."""

from __future__ import annotations

from medcam.models.training.config import Augmentation, Objective, TrainingConfig

LABELS_ALONE = Objective(positives=0.0, negatives=0.0, background=0.0, pairs=0.0)
"""Cross-entropy of the image-level logits, as in the paper."""

GENTLE = Augmentation(shift=0.04, turn=4.0, zoom=0.06, flip=0.0)


def small_network(
    *,
    epochs: int,
    seed: int,
    threads: int,
    stride: int = 8,
    head: str = "gap",
    objective: Objective = LABELS_ALONE,
) -> TrainingConfig:
    """How it is trained.

    Args:
        epochs: Passes over the films.
        seed: Decides initial weights, order and augmentation.
        threads: CPU threads; 0 leaves torch's own choice.
        stride: Pixels per cell of the map.
        head: Registry name of the pooling head.
        objective: What is learnt from.
    """
    return TrainingConfig(
        backbone="resnet",
        backbone_options={"stride": stride, "layers": [1, 1, 1, 1], "block_inplanes": [16, 32, 64, 128]},
        head=head,
        objective=objective,
        augmentation=GENTLE,
        epochs=epochs,
        batch=16,
        seed=seed,
        threads=threads,
    )
