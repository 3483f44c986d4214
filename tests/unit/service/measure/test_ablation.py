"""The ablation: every variant differs from the recipe, trains, and gets a row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from medcam.models.training.films import Films
from medcam.models.training.validation import Validation
from medcam.service.measure.ablation import VARIANTS, ablate, table
from medcam.service.training.recipes import PHANTOM_RECIPE
from medcam.service.training.train import TrainingSets


def test_each_variant_is_another_recipe() -> None:
    configs = [repr(vary(PHANTOM_RECIPE)) for vary in VARIANTS.values()]
    assert len(set(configs)) == len(VARIANTS)
    assert VARIANTS["the recipe"](PHANTOM_RECIPE) == PHANTOM_RECIPE


def test_variants_train_on_the_same_films_and_give_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(16, 32, 32)).astype(np.float16), (np.arange(16) % 2).astype(np.int8)[:, None]
    masks = np.zeros((16, 1, 32, 32), dtype=np.bool_)
    masks[1::2, 0, 8:16, 8:16] = True
    films = Films(("Nodule",), images, labels, np.arange(16), np.full(16, -1), masks)
    sets = TrainingSets(films.subset(np.arange(8)), films.subset(np.arange(8, 16)), films)
    network = {"stride": 4, "neck": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}
    recipe = replace(PHANTOM_RECIPE, backbone_options=network, epochs=1, batch=4, threads=1)
    rows = ablate(sets, recipe, tmp_path, ("the recipe", "without finding units"))
    assert list(rows) == ["the recipe", "without finding units"]
    assert (tmp_path / "the-recipe" / "row.json").is_file()
    assert len(table(rows, films.names).splitlines()) == 4


def test_a_table_has_means_and_leaves_gaps() -> None:
    row = Validation(auc=(0.5, 1.0), pointing=(0.25, float("nan")), iou=(0.1, 0.3))
    text = table({"x": row}, ("A", "B"))
    assert text.splitlines()[2] == "| x | .50 / .25 / .10 | 1.00 / - / .30 | .75 / .25 / .20 |"
