"""All peers, and what there is to be known of each one's package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from medcam.experiments.bench.peers.captum_maps import CaptumGradCam
from medcam.experiments.bench.peers.grad_cam_maps import PytorchGradCam
from medcam.experiments.bench.peers.monai_maps import MonaiCam, MonaiGradCam
from medcam.experiments.bench.peers.own import Own
from medcam.experiments.bench.peers.peer import Peer
from medcam.experiments.bench.peers.torchcam_maps import TorchcamCam, TorchcamGradCam

OWN = Own()
PEERS: tuple[Peer, ...] = (
    OWN,
    TorchcamCam(),
    TorchcamGradCam(),
    MonaiCam(),
    CaptumGradCam(),
    MonaiGradCam(),
    PytorchGradCam(),
)
UNMEASURED = {
    "M3d-CAM": "cannot be installed beside this package: it is `medcam` on PyPI, and its modules are imported as "
    "`medcam` too, so that either would hide the other"
}
"""Peers that are never measured, and why."""


def package_version(package: str) -> str:
    """Version of a distribution, "not installed" where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
