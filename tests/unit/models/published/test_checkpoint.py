"""What torch.save and safetensors write is read as torch itself reads it."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from medcam.models.published.checkpoint import read_checkpoint

KINDS = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_tensors_of_every_type_and_stride(kind, old, tmp_path):
    whole = torch.arange(24).reshape(4, 6).to(kind)
    saved = {"whole": whole, "turned": whole.T, "part": whole[1:3, ::2], "one": whole[0, 0], "none": whole[:0]}
    torch.save(saved, tmp_path / "a.pt", _use_new_zipfile_serialization=not old)

    read = read_checkpoint(tmp_path / "a.pt").tensors

    assert {name: (value.dtype, value.tolist()) for name, value in read.items()} == {
        name: (value.dtype, value.tolist()) for name, value in saved.items()
    }
    assert all(value.is_contiguous() for value in read.values())


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@pytest.mark.parametrize("old", [True, False])
def test_a_whole_module_gives_its_state_dict_and_its_classes(old, tmp_path):
    made = network()
    torch.save(made, tmp_path / "a.pt", _use_new_zipfile_serialization=not old)

    read = read_checkpoint(tmp_path / "a.pt")

    assert list(read.tensors) == list(made.state_dict())
    assert all(read.tensors[name].equal(value) for name, value in made.state_dict().items())
    assert read.kinds == {name: type(module).__name__ for name, module in made.named_modules()}


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"epoch": 3, "state_dict": s}, lambda s: {"model": s}])
@pytest.mark.parametrize("old", [True, False])
def test_a_state_dict_is_found_where_training_programs_put_it(wrap, old, tmp_path):
    made = network().state_dict()
    torch.save(wrap(made), tmp_path / "a.pt", _use_new_zipfile_serialization=not old)

    assert list(read_checkpoint(tmp_path / "a.pt").tensors) == list(made)


def test_what_an_optimiser_keeps_is_passed_over(tmp_path):
    made = network()
    optimiser = torch.optim.Adam(made.parameters())
    made(torch.ones(1, 1, 4, 4)).sum().backward()
    optimiser.step()
    torch.save({"state_dict": made.state_dict(), "optimizer": optimiser.state_dict()}, tmp_path / "a.pt")

    assert list(read_checkpoint(tmp_path / "a.pt").tensors) == list(made.state_dict())


def test_safetensors_with_their_metadata(tmp_path):
    made = network().state_dict()
    save_file(made, tmp_path / "a.safetensors", {"format": "pt"})

    read = read_checkpoint(tmp_path / "a.safetensors")

    assert all(read.tensors[name].equal(value) for name, value in made.items())
    assert read.metadata == {"format": "pt"}
