"""A model folder that is damaged, of another network or a trap is refused, and no pickle is ever read."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from medcam.core.card import FindingCard
from medcam.core.errors import MedcamError, ModelError
from medcam.models.files import GATE, WEIGHTS, load_folder, save_model
from medcam.models.known import CARD

from ..tiny import tiny_card, tiny_network


def refused(folder: Path) -> str:
    """The code with which a model folder is refused."""
    with pytest.raises(ModelError) as caught:
        load_folder(folder)
    assert caught.value.next_step
    return caught.value.code


def rewrite_card(folder: Path, **changes: object) -> None:
    fields = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps(fields | changes), encoding="utf-8")


def replace_weights(folder: Path, data: bytes) -> None:
    """Other weights, with a card that vouches for them."""
    (folder / WEIGHTS).write_bytes(data)
    rewrite_card(folder, weights_sha256=hashlib.sha256(data).hexdigest())


def replace_gate(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    """Another gate, or none, with a card that vouches for it."""
    stored = load_tensors((folder / WEIGHTS).read_bytes())
    weights = {name: value for name, value in stored.items() if not name.startswith(GATE)}
    gate = {GATE + name: torch.from_numpy(value) for name, value in arrays.items()}
    replace_weights(folder, save_tensors(weights | gate))


def test_one_changed_byte_is_noticed(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-5] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(data))
    assert refused(folder) == "weights-digest"


def test_weights_cut_short_or_of_another_model_are_noticed(folder: Path, tmp_path: Path) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    assert refused(folder) == "weights-digest"
    save_model(tmp_path / "other", tiny_network(seed=9), tiny_card())
    (folder / WEIGHTS).write_bytes((tmp_path / "other" / WEIGHTS).read_bytes())
    assert refused(folder) == "weights-digest"


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"[1]", b"\xff\xfe\x00card", b"\x00" * 64])
def test_a_damaged_card_is_refused(folder: Path, data: bytes) -> None:
    (folder / CARD).write_bytes(data)
    assert refused(folder) == "broken-card"


def test_what_is_no_model_folder_is_refused(tmp_path: Path, folder: Path) -> None:
    assert refused(tmp_path / "nowhere") == "no-such-model"
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty") == "no-such-model"
    assert refused(folder / WEIGHTS) == "no-such-model"


def test_a_card_without_weights_is_refused(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    assert refused(folder) == "broken-weights"


@pytest.mark.parametrize(
    "changes",
    [
        {"backbone_options": {"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 16]}},
        {"backbone_options": {"stride": 8, "layers": [1, 1, 1, 2], "block_inplanes": [8, 8, 8, 8]}},
        {"backbone": "densenet", "backbone_options": {"stride": 8, "init_features": 8, "growth_rate": 4}},
        {"input": {"height": 64, "width": 64, "channels": 3}},
    ],
)
def test_weights_of_another_network_are_refused(folder: Path, changes: dict[str, object]) -> None:
    rewrite_card(folder, **changes)
    assert refused(folder) == "broken-weights"


@pytest.mark.parametrize("findings", [2, 4])
def test_weights_for_another_number_of_findings_are_refused(tmp_path: Path, findings: int) -> None:
    card = save_model(tmp_path, tiny_network(), tiny_card())
    names = [f"finding {number}" for number in range(findings)]
    wrong = replace(card, findings=tuple(FindingCard(name) for name in names))
    save_model(tmp_path, tiny_network(), wrong)
    assert refused(tmp_path) == "broken-weights"


def test_missing_and_additional_tensors_are_refused(folder: Path) -> None:
    tensors = load_tensors((folder / WEIGHTS).read_bytes())
    replace_weights(folder, save_tensors(tensors | {"stranger": torch.zeros(3)}))
    assert refused(folder) == "broken-weights"
    tensors.pop("head.weight")
    replace_weights(folder, save_tensors(tensors))
    assert refused(folder) == "broken-weights"


BAD_CARDS = [
    {"backbone": "unheard-of"},
    {"backbone": 7},
    {"head": "unheard-of"},
    {"head": ["gap"]},
    {"backbone_options": {"unheard": 1}},
    {"backbone_options": {"stride": 7}},
    {"backbone_options": {"stride": "eight"}},
    {"backbone_options": {"layers": "many"}},
    {"backbone_options": {"stride": 8, "layers": [1, 1], "block_inplanes": [8, 8]}},
    {"backbone_options": {"head": 3}},
    {"backbone_options": [1, 2]},
    {"backbone_options": None},
    {"input": {"height": 64, "width": 64, "channels": 1.5}},
]


@pytest.mark.parametrize("changes", BAD_CARDS)
def test_a_card_that_describes_no_network_gives_an_error_of_ours(folder: Path, changes: dict[str, object]) -> None:
    rewrite_card(folder, **changes)
    with pytest.raises(MedcamError) as caught:
        load_folder(folder)
    assert caught.value.next_step


class Trap:
    """A pickle that makes a file when it is read."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self._place,))


def traps(place: Path) -> list[bytes]:
    """A bare pickle, and a torch checkpoint with one inside."""
    checkpoint = place.with_suffix(".pt")
    torch.save({"head.weight": Trap(place)}, checkpoint)
    return [pickle.dumps({"head.weight": Trap(place)}), checkpoint.read_bytes()]


def test_the_trap_works(tmp_path: Path) -> None:
    bare, checkpoint = traps(tmp_path / "sprung")
    pickle.loads(bare)
    assert (tmp_path / "sprung").exists()
    (tmp_path / "sprung").unlink()
    (tmp_path / "file.pt").write_bytes(checkpoint)
    torch.load(tmp_path / "file.pt", weights_only=False)
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kind", [0, 1])
def test_no_pickle_is_ever_read(folder: Path, tmp_path: Path, kind: int) -> None:
    data = traps(tmp_path / "sprung")[kind]
    (folder / WEIGHTS).write_bytes(data)
    assert refused(folder) == "weights-digest"
    replace_weights(folder, data)
    assert refused(folder) == "broken-weights"
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("data", [b"", b"\x00" * 8, b"\xff" * 64, b"\x10\x00\x00\x00\x00\x00\x00\x00{}"])
def test_rubbish_is_no_weights(folder: Path, data: bytes) -> None:
    replace_weights(folder, data)
    assert refused(folder) == "broken-weights"


@pytest.mark.parametrize(
    "arrays",
    [
        {"mean": np.zeros(8, np.float32)},
        {"mean": np.zeros(8, np.float32), "whitening": np.eye(9, dtype=np.float32)},
        {"mean": np.zeros(5, np.float32), "whitening": np.eye(5, dtype=np.float32)},
        {"mean": np.zeros(8, np.float32), "whitening": np.eye(8, dtype=np.float32), "more": np.zeros(1)},
    ],
)
def test_a_gate_that_does_not_fit_is_refused(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    replace_gate(folder, arrays)
    assert refused(folder) == "broken-weights"


def test_a_card_without_its_gate_is_no_gate_at_all(folder: Path) -> None:
    """A threshold without a gate must not look like a film that passed one."""
    replace_gate(folder, {})
    assert refused(folder) == "broken-weights"


def test_one_changed_number_of_the_gate_is_noticed(folder: Path) -> None:
    stored = load_tensors((folder / WEIGHTS).read_bytes())
    stored["gate.mean"] += 1.0
    (folder / WEIGHTS).write_bytes(save_tensors(stored))
    assert refused(folder) == "weights-digest"
