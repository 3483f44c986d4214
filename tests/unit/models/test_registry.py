"""Models by name: shipped, plugged in, the user's own, or a folder's path."""

from __future__ import annotations

from pathlib import Path

import pytest

from medcam.core.errors import ModelError
from medcam.models import known
from medcam.models.cards import read_card
from medcam.models.files import WEIGHTS, save_model
from medcam.models.known import CARD, model_names, user_folder
from medcam.models.registry import load_model

from .tiny import noise, tiny_card, tiny_network


def put(base: Path, name: str, version: str) -> Path:
    """A model whose version tells where it lies."""
    card = tiny_card(name=name, version=version, out_of_distribution_threshold=None)
    save_model(base / name, tiny_network(), card)
    return base / name


LOOK_FOR_PLUG_INS = known.plugged.__wrapped__


class FakeEntryPoint:
    """What `importlib.metadata.entry_points` gives for an installed plug-in."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder

    def load(self) -> Path:
        return self._folder


@pytest.fixture
def bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Folders of shipped and of own models, both empty, and no plug-ins."""
    shipped, data = tmp_path / "shipped", tmp_path / "data"
    monkeypatch.setattr(known, "SHIPPED", shipped)
    monkeypatch.setattr(known, "plugged", lambda: ())
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    monkeypatch.chdir(tmp_path)
    return shipped, data / "medcam" / "models"


def test_own_models_live_under_xdg_data_home(bases: tuple[Path, Path]) -> None:
    _, own = bases
    assert user_folder() == own
    assert model_names() == ()
    put(own, "zebra", "own")
    put(own, "ant", "own")
    assert model_names() == ("ant", "zebra")
    assert load_model("zebra").card.name == "zebra"
    assert load_model("zebra").predict(noise(1)).logits.shape == (1, 3)


@pytest.mark.parametrize("empty", [True, False])
def test_without_xdg_data_home_they_live_under_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: bool
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if empty:
        monkeypatch.setenv("XDG_DATA_HOME", "")
    else:
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert user_folder() == tmp_path / ".local" / "share" / "medcam" / "models"


def test_a_shipped_name_cannot_be_shadowed(
    bases: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, own = bases
    put(shipped, "phantom", "shipped")
    put(own, "phantom", "own")
    plugged = put(tmp_path / "plug-in", "phantom", "plugged in")
    put(tmp_path, "phantom", "in the working folder")
    monkeypatch.setattr(known, "plugged", lambda: (FakeEntryPoint("phantom", plugged),))
    assert model_names() == ("phantom",)
    for name in ("phantom", Path("phantom")):
        assert load_model(name).card.version == "shipped"
        assert read_card(name).version == "shipped"
    assert load_model().card.version == "shipped"


def test_a_plug_in_is_found_and_ones_own_model_comes_first(
    bases: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, own = bases
    plugged = [put(tmp_path / "plug-in", name, "plugged in") for name in ("both", "other")]
    entries = tuple(FakeEntryPoint(folder.name, folder) for folder in plugged)
    monkeypatch.setattr(known, "entry_points", lambda group: entries if group == known.ENTRY_POINTS else ())
    monkeypatch.setattr(known, "plugged", LOOK_FOR_PLUG_INS)
    put(own, "both", "own")
    assert model_names() == ("both", "other")
    assert read_card("other").version == "plugged in"
    assert read_card("both").version == "own"


def test_a_folders_path_is_taken_in_either_form(bases: tuple[Path, Path], tmp_path: Path) -> None:
    folder = put(tmp_path / "runs", "mine", "by path")
    for name in (folder, str(folder), "runs/mine", Path("runs/mine")):
        assert load_model(name).card.version == "by path"
        assert read_card(name).version == "by path"
    assert model_names() == ()


@pytest.mark.parametrize(
    "name", ["unheard-of", "", ".", "..", "../shipped", "phantom\x00", "a" * 5000, Path("/dev/null")]
)
def test_an_unknown_name_is_refused_and_known_ones_are_listed(bases: tuple[Path, Path], name: str | Path) -> None:
    put(bases[0], "phantom", "shipped")
    for find in (load_model, read_card):
        with pytest.raises(ModelError) as caught:
            find(name)
        assert caught.value.code == "no-such-model"
        assert "phantom" in caught.value.next_step


def test_a_card_is_read_without_its_weights(bases: tuple[Path, Path]) -> None:
    (put(bases[1], "light", "own") / WEIGHTS).unlink()
    assert read_card("light").version == "own"
    with pytest.raises(ModelError) as caught:
        load_model("light")
    assert caught.value.code == "broken-weights"


def test_one_damaged_model_hides_no_other(bases: tuple[Path, Path]) -> None:
    put(bases[1], "sound", "own")
    (put(bases[1], "broken", "own") / CARD).write_text("{")
    (bases[1] / "no-model").mkdir()
    assert model_names() == ("broken", "sound")
    assert load_model("sound").card.version == "own"
    with pytest.raises(ModelError) as caught:
        read_card("broken")
    assert caught.value.code == "broken-card"
