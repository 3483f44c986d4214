import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medcam.core.errors import InvalidValueError, MedcamError
from medcam.overlay import deflate, png
from medcam.overlay.png import encode_png, save_png


@pytest.mark.parametrize("shape", [(1, 1, 3), (33, 57, 3), (20, 9)])
def test_lossless_and_read_by_others(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    data = encode_png(picture)
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.info == {}
        assert np.array_equal(np.asarray(opened), picture)
    assert encode_png(picture.copy()) == data


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    colour=st.booleans(),
    levels=st.sampled_from((1, 2, 256)),
    quick=st.booleans(),
)
def test_others_see_the_same_picture_whoever_packs_it(
    height: int, width: int, colour: bool, levels: int, quick: bool
) -> None:
    shape = (height, width, 3) if colour else (height, width)
    picture = np.random.default_rng(height * width).integers(0, levels, shape, dtype=np.uint8) * (255 // levels)
    with pytest.MonkeyPatch.context() as patch:
        if not quick:
            patch.setattr(deflate, "_packer", zlib)
        data = encode_png(picture)
    with Image.open(io.BytesIO(data)) as opened:
        opened.verify()
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.mode == ("RGB" if colour else "L")
        assert np.array_equal(np.asarray(opened), picture)
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(seen[:, :, ::-1] if colour else seen, picture)


def test_a_file_is_hardly_larger_than_by_opencv() -> None:
    rng = np.random.default_rng(0)
    film = np.cumsum(rng.normal(0, 3, (400, 300)), axis=1).round().astype(np.int64).clip(-100, 100) + 120
    picture = np.repeat(film.astype(np.uint8)[:, :, None], 3, axis=2)
    picture[100:200, 50:150, 0] //= 2
    options = (cv2.IMWRITE_PNG_COMPRESSION, 2, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)
    by_opencv = cv2.imencode(".png", picture, options)[1].size
    assert len(encode_png(picture)) < 1.1 * by_opencv


def test_a_picture_too_large_for_a_chunk_is_refused() -> None:
    with pytest.raises(MedcamError) as error:
        encode_png(np.broadcast_to(np.uint8(0), (1 << 16, 1 << 15)))
    assert error.value.code == "png"


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
