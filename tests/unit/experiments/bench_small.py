"""A plan of a second and a network of few layers, for tests of `medcam bench`."""

from __future__ import annotations

from monai.networks.nets import DenseNet

from medcam.experiments.bench.performance.plan import PerformancePlan

SMALL = PerformancePlan(
    cells=((64, 1),), rounds=2, seconds=0.1, own_seconds=0.1, memory=(64, 1), checked=(64, 2), findings=2,
    engines=((64, 1),), film_side=256, script_films=4, own_films=4, program_rounds=1, patience=0.0,
)  # fmt: skip


def small_network(**options):
    """MONAI's DenseNet with the same names of layers, and few of them."""
    return DenseNet(**options, init_features=8, growth_rate=4, block_config=(2, 2))
