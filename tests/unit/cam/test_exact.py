import numpy as np
import pytest

from medcam.cam.exact import activation_maps, check_ledger
from medcam.core.activation import ActivationMap
from medcam.core.errors import InvalidValueError, ModelError
from medcam.core.geometry import Box, GridTransform
from medcam.core.prediction import Prediction


def _prediction(count: int = 2, *, ledger: bool = True) -> Prediction:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(count, 3, 4, 5)).astype(np.float32)
    biases = np.array([0.5, -1.0, 0.0], dtype=np.float32)
    features = np.zeros((count, 7), np.float32)
    return Prediction(maps.mean(axis=(2, 3)) + biases, maps, biases, features, ledger=ledger)


def test_one_map_per_image_and_finding_on_its_own_grid() -> None:
    prediction = _prediction()
    transforms = [GridTransform.identity(400, 500), GridTransform.identity(100, 100).pad(0, 0, 10, 15).resize(64, 80)]
    result = activation_maps(prediction, transforms, layer="features")
    assert [len(maps) for maps in result] == [3, 3]
    for image, maps in enumerate(result):
        for finding, activation in enumerate(maps):
            assert np.array_equal(activation.values, prediction.maps[image, finding])
            assert activation.bias == prediction.biases[finding]
            assert (activation.method, activation.layer, activation.ledger) == ("cam", "features", True)
            assert check_ledger(activation, float(prediction.logits[image, finding])) < 1e-6
    assert result[0][0].transform.box_to_source(Box(1, 2, 1, 1)) == Box(100, 200, 100, 100)
    padded = result[1][0].transform
    assert padded.to_source(0, 0) == pytest.approx((-10, 0))
    assert padded.to_source(5, 4) == pytest.approx((115, 100))


def test_a_head_without_a_ledger_says_so() -> None:
    activation = activation_maps(_prediction(1, ledger=False), [GridTransform.identity(8, 8)])[0][0]
    assert not activation.ledger
    with pytest.raises(InvalidValueError, match="no ledger"):
        check_ledger(activation, 0.0)


def test_needs_a_transform_for_each_image() -> None:
    with pytest.raises(InvalidValueError, match="as many transforms"):
        activation_maps(_prediction(2), [GridTransform.identity(8, 8)])


@pytest.mark.parametrize("logit", [2.6, 2.4, float("nan"), float("inf")])
def test_a_broken_ledger_is_an_error(logit: float) -> None:
    activation = ActivationMap(np.full((2, 2), 1.5), 1.0, GridTransform.identity(2, 2))
    assert check_ledger(activation, 2.5) == 0.0
    assert check_ledger(activation, 2.55, tolerance=0.1) == pytest.approx(0.05)
    with pytest.raises(ModelError) as raised:
        check_ledger(activation, logit)
    assert raised.value.code == "ledger-mismatch"
