"""`load_model("model+probe")`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medcam.core.errors import ModelError
from medcam.models import known
from medcam.models.cards import absolute_name, probe_names, read_card
from medcam.models.known import model_names, user_folder
from medcam.models.probes.files import WEIGHTS, save_probe
from medcam.models.registry import load_model

from ..tiny import noise
from .probes import random_probe, saved_tiny_model


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's model folder with a model "tiny", and probes "clip" and "wire" for it."""
    monkeypatch.setattr(known, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(known, "plugged", lambda: ())
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    digest = saved_tiny_model(user_folder() / "tiny")
    for number, name in enumerate(("clip", "wire")):
        save_probe(user_folder() / name, random_probe(name, seed=number, digest=digest))
    return user_folder()


def test_a_model_is_loaded_with_one_probe_or_several(own: Path):
    for name, findings in (("tiny", 3), ("tiny+clip", 4), ("tiny+clip+wire", 5), ("tiny+wire+clip", 5)):
        loaded = load_model(name)
        assert loaded.card.name == name
        assert loaded.card == read_card(name)
        assert loaded.predict(noise(1)).logits.shape == (1, findings)


def test_probes_are_no_models_and_are_listed_apart(own: Path):
    assert model_names() == ("tiny",)
    assert probe_names() == ("clip", "wire")
    with pytest.raises(ModelError) as caught:
        load_model("clip")
    assert caught.value.code == "no-such-model"


def test_a_folders_path_takes_probes_and_may_have_a_plus_itself(own: Path, tmp_path: Path):
    digest = saved_tiny_model(tmp_path / "a+b" / "model")
    save_probe(own / "clip", random_probe("clip", digest=digest))

    assert load_model(tmp_path / "a+b" / "model").card.name == "tiny"
    assert load_model("a+b/model+clip").card.name == "tiny+clip"


def test_a_name_for_other_folders_is_a_path_made_absolute_and_a_name_left_alone(own: Path, tmp_path: Path):
    saved_tiny_model(tmp_path / "a+b" / "model")
    (tmp_path / "tiny").mkdir()  # results, say: it is no model, and the name has the model of that name

    assert absolute_name("a+b/model") == str(tmp_path / "a+b" / "model")
    assert absolute_name("a+b/model+clip") == f"{tmp_path / 'a+b' / 'model'}+clip"
    for name in ("tiny", "tiny+clip", "of-another-machine", "of-another-machine+clip"):
        assert absolute_name(name) == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tiny+unheard-of", "no-such-probe"),
        ("tiny+", "no-such-probe"),
        ("tiny+../tiny", "no-such-probe"),
        ("unheard-of+clip", "no-such-model"),
        ("+clip", "no-such-model"),
        ("tiny+clip+clip", "probe-name"),
    ],
)
def test_unknown_names_are_refused(own: Path, name: str, code: str):
    for find in (load_model, read_card):
        with pytest.raises(ModelError) as caught:
            find(name)
        assert caught.value.code == code


def test_a_model_that_was_trained_again_refuses_its_old_probes(own: Path):
    save_probe(own / "clip", random_probe("clip", digest="00" * 32))

    for find in (load_model, read_card):
        with pytest.raises(ModelError) as caught:
            find("tiny+clip")
        assert caught.value.code == "probe-model"


def test_a_card_is_read_without_weights(own: Path):
    (own / "clip" / WEIGHTS).unlink()

    assert read_card("tiny+clip").finding_names[-1] == "clip"
    with pytest.raises(ModelError) as caught:
        load_model("tiny+clip")
    assert caught.value.code == "broken-probe"


def test_predictions_are_those_of_the_saved_weights(own: Path):
    films = noise(2)
    both, swapped = load_model("tiny+clip+wire").predict(films), load_model("tiny+wire+clip").predict(films)

    np.testing.assert_array_equal(both.logits[:, [0, 1, 2, 4, 3]], swapped.logits)
