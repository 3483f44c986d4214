"""A film becomes the input that upstream's own code would make of it, told here in NumPy and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from plain_networks import PlainDenseNet, lively
from skimage.transform import resize

from medcam.core.card import FindingCard, InputRecipe
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.radiograph import Radiograph
from medcam.models.preprocess import prepare
from medcam.models.published.build import Meaning, build_model
from medcam.models.published.checkpoint import Checkpoint
from medcam.models.published.layouts import LAYOUTS, map_checkpoint
from medcam.phantom import render, sample_case

RANGE = 2048.0


def recipe_of(layout: str, channels: int) -> InputRecipe:
    known = LAYOUTS[layout]
    cards = [FindingCard(name) for name in known.findings]
    tensors = lively(PlainDenseNet(channels, len(cards))).state_dict()
    meaning = Meaning(cards, known.side, known.mean, known.std, about={"name": "x", "version": "1"})
    return build_model(map_checkpoint(Checkpoint(tensors)), {}, meaning)[1].input


@pytest.fixture(scope="module")
def film() -> Radiograph:
    pixels = np.asarray(render(sample_case(3, 0), 512, truth=False).linear, dtype=np.float32)
    low, high = np.percentile(pixels, [1, 99])
    window = DisplayWindow(VoiFunction.LINEAR_EXACT, center=float(low + high) / 2, width=float(high - low))
    return Radiograph(pixels=pixels[:, 30:-50], window=window)


def test_torchxrayvision(film: Radiograph) -> None:
    recipe = recipe_of("torchxrayvision", 1)

    made = prepare(film, recipe).values

    image = (2.0 * film.window.apply(film.pixels) - 1.0) * 1024.0
    height, width = image.shape
    side = min(height, width)
    top, left = height // 2 - side // 2, width // 2 - side // 2
    square = image[top : top + side, left : left + side]
    expected = resize(square, (224, 224), mode="constant", preserve_range=True, anti_aliasing=True)
    assert made.shape == (1, 224, 224)
    assert -1024.0 <= made.min() < made.max() <= 1024.0
    assert np.abs(made[0] - expected).mean() / RANGE < 0.005
    assert np.corrcoef(made[0].ravel(), expected.ravel())[0, 1] > 0.999


def test_chexnet(film: Radiograph) -> None:
    recipe = recipe_of("chexnet", 3)

    made = prepare(film, recipe).values

    plain = prepare(film, InputRecipe(224, 224, intensity="display", fit="crop", black=0.0, white=1.0)).values
    assert (recipe.channels, recipe.height, recipe.fit) == (1, 224, "crop")
    assert np.allclose(made, plain - np.mean([0.485, 0.456, 0.406]), atol=1e-6)
