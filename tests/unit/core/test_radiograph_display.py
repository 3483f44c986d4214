import numpy as np
import pytest

from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.radiograph import Radiograph

TABLE = np.sqrt(np.linspace(0.0, 1.0, 900)).astype(np.float32)
WINDOWS = (
    DisplayWindow(VoiFunction.LINEAR, 500.0, 700.0),
    DisplayWindow(VoiFunction.LINEAR_EXACT, 500.0, 700.0, mirror=1023.0),
    DisplayWindow(VoiFunction.SIGMOID, 500.0, 300.0),
    DisplayWindow(VoiFunction.TABLE, table=TABLE, first_mapped=60.0, mirror=1023.0),
)


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: window.function.value)
@pytest.mark.parametrize("height", [1, 64, 65, 150])
def test_a_film_is_windowed_as_by_the_whole(window: DisplayWindow, height: int) -> None:
    rng = np.random.default_rng(height)
    pixels = rng.integers(0, 1024, (height, 37)).astype(np.float32)
    padding = rng.random(pixels.shape) < 0.1
    shown = Radiograph(pixels, window, padding=padding).display()
    expected = np.rint(window.apply(pixels) * 255.0).astype(np.uint8)
    expected[padding] = 0
    assert shown.dtype == np.uint8
    assert np.array_equal(shown, expected)
    assert np.ptp(shown) > 100
