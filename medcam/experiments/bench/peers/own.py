"""The way of this package: the network with a pooling head whose maps come with the logits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from medcam.experiments.bench.peers.peer import Maps
from medcam.models.surgery.gap_head import with_gap_head


class Own:
    """Exact class activation maps of all findings in one pass; see `Peer`."""

    name, package, rectified = "medcam", "medcam-cxr", False
    one_by_one = False

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool) -> Iterator[Maps]:
        """As `Peer.opened`."""
        device = next(network.parameters()).device
        classifier = with_gap_head(network).to(device)

        def maps(films: Tensor) -> Tensor:
            with torch.inference_mode():
                found: Tensor = classifier(films).maps
            return found

        yield maps

    def by_one_target(self, network: nn.Module, films: Tensor, finding: int) -> Tensor:
        """As `Peer.by_one_target`."""
        with self.opened(network, 0, documented=True) as maps:
            return maps(films)[:, finding]
