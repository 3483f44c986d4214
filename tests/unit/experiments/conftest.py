"""What tests of `medcam bench` measure instead of the network of the benchmark."""

from __future__ import annotations

import pytest
from bench_small import small_network

from medcam.experiments.bench.peers import subject as subject_module


@pytest.fixture(scope="module")
def small():
    """Networks that are measured have few layers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject_module, "DenseNet121", small_network)
        yield
