"""Probes on disk: nothing is lost, and nothing damaged is taken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medcam.core.errors import InvalidValueError, ModelError
from medcam.models.probes.files import CARD, WEIGHTS, load_probe_folder, read_probe_card, save_probe
from medcam.models.probes.probe import Probe

from .probes import random_probe


def test_a_probe_comes_back_as_it_was_saved(tmp_path: Path):
    probe = random_probe()

    card = save_probe(tmp_path / "p", probe)
    loaded = load_probe_folder(tmp_path / "p")

    assert loaded.card == card == read_probe_card(tmp_path / "p")
    assert len(card.weights_sha256) == 64
    np.testing.assert_array_equal(loaded.weights, probe.weights)
    assert loaded.bias == np.float32(probe.bias)
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [CARD, WEIGHTS]


def damage_card(folder: Path) -> None:
    (folder / CARD).write_text("{", encoding="utf-8")


def forget_a_field(folder: Path) -> None:
    fields = json.loads((folder / CARD).read_text(encoding="utf-8"))
    del fields["finding"]
    (folder / CARD).write_text(json.dumps(fields), encoding="utf-8")


def unknown_method(folder: Path) -> None:
    fields = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps(fields | {"method": "tea leaves"}), encoding="utf-8")


def no_text(folder: Path) -> None:
    (folder / CARD).write_bytes(b"\xff\xfe\x00")


def change_weights(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(data))


def lose_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


@pytest.mark.parametrize("damage", [damage_card, forget_a_field, unknown_method, no_text, change_weights, lose_weights])
def test_a_damaged_probe_is_refused(tmp_path: Path, damage):
    save_probe(tmp_path, random_probe())
    damage(tmp_path)

    with pytest.raises(ModelError) as caught:
        load_probe_folder(tmp_path)

    assert caught.value.code == "broken-probe"


def test_a_folder_without_a_probe_is_none(tmp_path: Path):
    with pytest.raises(ModelError) as caught:
        load_probe_folder(tmp_path)

    assert caught.value.code == "no-such-probe"


@pytest.mark.parametrize("weights", [[], [np.nan], [[1.0]]])
def test_weights_must_be_finite_numbers_in_a_row(weights):
    with pytest.raises(InvalidValueError):
        Probe(random_probe().card, np.array(weights, dtype=np.float32), 0.0)
