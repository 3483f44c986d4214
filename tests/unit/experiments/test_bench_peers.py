"""`medcam bench` checks maps of peers against exact ones, and the network that they are all given."""

from __future__ import annotations

import math
from contextlib import contextmanager

import pytest
import torch
from monai.networks.nets import DenseNet121
from torch import nn

from medcam.experiments.bench.peers import every
from medcam.experiments.bench.peers import subject as subject_module
from medcam.experiments.bench.peers.check import checked, exact_maps
from medcam.experiments.bench.peers.monai_maps import MonaiCam, MonaiGradCam
from medcam.experiments.bench.peers.own import Own
from medcam.experiments.bench.peers.peer import hooks_on
from medcam.experiments.bench.peers.saved import save_as_model
from medcam.experiments.bench.peers.subject import Subject
from medcam.models.files import load_folder


class UpsideDown(Own):
    """A peer that turns maps over and leaves a hook behind."""

    name, package = "upside down", "monai"

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool):
        network.register_forward_hook(lambda *_: None)
        with super().opened(network, findings, documented=documented) as maps:
            yield lambda films: -maps(films)


@pytest.fixture(scope="module")
def subject(small):
    return Subject(64, 2, findings=2)


def test_exact_maps_add_up_to_the_logits(subject):
    maps, logits = exact_maps(subject)
    bias = subject.network.class_layers.out.bias.double()

    assert torch.allclose(maps.mean(dim=(2, 3)) + bias, logits, atol=1e-9)
    assert hooks_on(subject.network) == 0


def test_own_maps_are_right_and_a_peer_that_is_not_is_found_out(subject):
    own, wrong = checked(Own(), subject, exact_maps(subject)), checked(UpsideDown(), subject, exact_maps(subject))

    assert own.least > 0.999
    assert (own.right, own.films, own.hooks, own.against, own.empty) == (2, 2, 0, True, 0)
    assert own.sum_error < 1e-5
    assert wrong.correlation < -0.999
    assert wrong.hooks == 1
    assert wrong.sum_error > 1e-3


@pytest.mark.parametrize("peer", [MonaiCam(), MonaiGradCam()], ids=lambda peer: peer.name)
def test_monai_turns_its_maps_over_and_keeps_its_hooks(peer, subject):
    found = checked(peer, subject, exact_maps(subject))

    assert found.empty < found.maps
    assert found.correlation < -0.99
    assert found.hooks > 0
    assert found.against is not peer.rectified


@pytest.mark.parametrize("peer", [one for one in every.PEERS if one.package in ("captum", "grad-cam", "torchcam")])
def test_peers_that_are_installed_give_the_exact_map(peer, subject):
    if every.package_version(peer.package) == "not installed":
        pytest.skip(f"{peer.package} is not installed")
    found = checked(peer, subject, exact_maps(subject))

    assert math.isnan(found.least) or found.least > 0.99
    assert found.hooks == 0


def test_the_network_of_the_scripts_is_that_of_the_model_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(subject_module, "DenseNet121", DenseNet121)
    subject = Subject(64, 2)

    assert save_as_model(tmp_path / "model", subject) < 1e-4
    assert len(load_folder(tmp_path / "model").card.findings) == 14
