"""What all peers are measured on: MONAI's DenseNet-121 with random weights, and phantoms."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import torch
from monai.networks.nets import DenseNet121
from torch import Tensor, nn

from medcam.core.card import InputRecipe
from medcam.models.engines.calibration import calibration_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medcam.experiments.bench.peers.peer import Peer

FINDINGS = 14
"""As many as ChestX-ray14 has."""
Pass = Callable[[], object]


def devices() -> tuple[str, ...]:
    """Where networks can be run here: the processor, and a GPU where torch finds one."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def device_name(device: str) -> str:
    """What a device is, such as a GPU's name."""
    return torch.cuda.get_device_name() if device == "cuda" else "processor"


def threads() -> int:
    """How many threads torch uses."""
    return torch.get_num_threads()


class Subject:
    """A network and a batch of films.

    Args:
        side: Of the films in pixels.
        batch: Films; the eight phantoms that engines are checked on, again and again.
        device: One of `devices`.
        findings: Outputs of the network.
    """

    def __init__(self, side: int, batch: int, device: str = "cpu", findings: int = FINDINGS) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = DenseNet121(spatial_dims=2, in_channels=1, out_channels=findings)
        self.network: nn.Module = network.eval().to(device)
        self.findings, self.device = findings, device
        films = torch.from_numpy(calibration_inputs(InputRecipe(side, side)))
        self.films: Tensor = films[torch.arange(batch) % len(films)].contiguous().to(device)

    def twin(self) -> nn.Module:
        """The network again, for a peer of its own: hooks that stay behind hinder nobody else."""
        return copy.deepcopy(self.network)

    def plain(self) -> Pass:
        """One forward pass that gives logits alone."""

        def run() -> None:
            with torch.inference_mode():
                self.network(self.films)
            self._wait()

        return run

    def one_target(self, peer: Peer, network: nn.Module) -> Pass:
        """A peer's maps of the first finding."""

        def run() -> None:
            peer.by_one_target(network, self.films, 0)
            self._wait()

        return run

    def all_findings(self, peer: Peer) -> AbstractContextManager[Pass]:
        """A peer's maps of all findings, as raw as it gives them; to be opened and closed."""

        @contextmanager
        def opened() -> Iterator[Pass]:
            with peer.opened(self.twin(), self.findings, documented=False) as maps:

                def run() -> None:
                    maps(self.films)
                    self._wait()

                yield run

        return opened()

    def _wait(self) -> None:
        # A GPU works on behind the call; what is timed is the work.
        if self.device == "cuda":
            torch.cuda.synchronize()
