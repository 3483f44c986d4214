import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcam.core.errors import InvalidValueError
from medcam.overlay import png
from medcam.overlay.png import encode_png, save_png


@pytest.mark.parametrize("shape", [(1, 1, 3), (33, 57, 3), (20, 9)])
def test_lossless_and_read_by_others(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    data = encode_png(picture)
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.info == {}
        assert np.array_equal(np.asarray(opened), picture)
    assert encode_png(picture.copy()) == data


def test_works_on_views_and_read_only_pictures() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    picture.flags.writeable = False
    part = picture[::2, 3:20]
    with Image.open(io.BytesIO(encode_png(part))) as opened:
        assert np.array_equal(np.asarray(opened), part)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((3, 3, 3)), np.zeros((0, 3, 3), np.uint8), np.zeros((3, 3, 4), np.uint8), np.zeros(3, np.uint8)],
)
def test_refuses_what_is_no_picture(picture: np.ndarray) -> None:
    with pytest.raises(InvalidValueError):
        encode_png(picture)


def test_saves_and_replaces_leaving_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "overlay-nodule.png"
    for value in (1, 2):
        assert save_png(target, np.full((4, 4, 3), value, np.uint8)) == target
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    with Image.open(target) as opened:
        assert np.asarray(opened).max() == 2


def test_a_failed_write_keeps_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "overlay.png"
    save_png(target, np.zeros((4, 4, 3), np.uint8))
    before = target.read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as part:
            part.write(data[:10])
        raise OSError("no space left on device")

    monkeypatch.setattr(png.Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        save_png(target, np.ones((4, 4, 3), np.uint8))
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
