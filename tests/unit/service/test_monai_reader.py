import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import LoadImage

from medcam import RadiographReader
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.radiograph import Radiograph
from medcam.dicom import DxAttributes, load_radiograph, save_dx
from medcam.phantom import Phantom

# MONAI's LoadImage makes all its own readers first, and one of them warns wherever nvImageCodec is not installed.
pytestmark = pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader:UserWarning")


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 40 rows and 60 columns with unequal spacing, stored inverted."""
    pixels = np.random.default_rng(5).integers(0, 1024, (40, 60)).astype(np.uint16)
    path = tmp_path_factory.mktemp("wide") / "wide.dcm"
    save_dx(
        path,
        pixels,
        DxAttributes(seed="wide", bits_stored=10, inverse=True, spacing_mm=(0.2, 0.3), window=(512.0, 1024.0)),
    )
    return path


@pytest.fixture(scope="module")
def film(wide: Path) -> Radiograph:
    return load_radiograph(wide)


def test_load_image_gives_our_pixels_with_x_first(wide: Path, film: Radiograph) -> None:
    image = LoadImage(reader=RadiographReader())(wide)
    assert isinstance(image, MetaTensor)
    assert image.dtype == torch.float32
    assert image.shape == (60, 40)
    np.testing.assert_array_equal(image.numpy(), film.pixels.T)


def test_rows_can_come_first(wide: Path, film: Radiograph) -> None:
    image = LoadImage(reader=RadiographReader(swap_xy=False))(wide)
    np.testing.assert_array_equal(image.numpy(), film.pixels)
    np.testing.assert_allclose(image.meta["spacing"], [0.2, 0.3])
    np.testing.assert_array_equal(image.meta["spatial_shape"], [40, 60])


@pytest.mark.filterwarnings("ignore:PydicomReader. ImageOrientationPatient:UserWarning")
def test_axis_order_is_that_of_monais_own_reader_and_polarity_is_not(wide: Path) -> None:
    ours, theirs = LoadImage(reader=RadiographReader())(wide), LoadImage(reader="PydicomReader")(wide)
    np.testing.assert_array_equal(ours.numpy(), 1023.0 - theirs.numpy())


def test_metadata_tell_what_the_array_is(wide: Path, film: Radiograph) -> None:
    image = LoadImage(reader=RadiographReader())(wide)
    np.testing.assert_allclose(np.asarray(image.affine), np.diag([0.3, 0.2, 1.0]))
    np.testing.assert_allclose(image.meta["spacing"], [0.3, 0.2])
    np.testing.assert_array_equal(image.meta["original_shape"], [40, 60])
    assert image.meta["polarity"] == "denser is brighter"
    assert image.meta["patient_orientation"] == "L\\F"
    assert image.meta["sha256"] == film.sha256
    assert not {"PHANTOM^SYNTHETIC", "PHANTOM"} & {str(value) for value in image.meta.values()}


def test_channel_first_adds_one_channel(wide: Path) -> None:
    image = LoadImage(reader=RadiographReader, ensure_channel_first=True)(wide)
    assert image.shape == (1, 60, 40)


def test_an_unknown_spacing_is_not_made_up(film: Radiograph) -> None:
    bare = Radiograph(film.pixels, film.window)
    _, meta = RadiographReader().get_data(bare)
    np.testing.assert_array_equal(meta["spacing"], [np.nan, np.nan])
    np.testing.assert_array_equal(meta["affine"], np.eye(3))


@pytest.mark.parametrize("swap_xy", [True, False])
def test_arrays_are_the_callers_own(film: Radiograph, swap_xy: bool) -> None:
    array, _ = RadiographReader(swap_xy=swap_xy).get_data(film)
    array[:] = -1.0
    assert film.pixels.min() >= 0.0


def test_several_files_become_channels(phantom_dicom: Path, phantoms: tuple[Phantom, ...]) -> None:
    paths = sorted(phantom_dicom.glob("*.dcm"))
    same = [path for path in paths if load_radiograph(path).spacing == load_radiograph(paths[0]).spacing] * 2
    image = LoadImage(reader=RadiographReader())(same)
    assert image.shape == (len(same), 160, 160)
    np.testing.assert_array_equal(image[0].numpy(), load_radiograph(same[0]).pixels.T)


def test_films_that_differ_cannot_be_channels(phantom_dicom: Path, wide: Path) -> None:
    reader = RadiographReader()
    with pytest.raises(InvalidValueError, match="channels"):
        reader.get_data(reader.read([phantom_dicom / "film-0.dcm", wide]))


def test_batches_come_out_of_a_loader(wide: Path) -> None:
    load = LoadImage(reader=RadiographReader(), ensure_channel_first=True)
    [batch] = DataLoader(Dataset([wide, wide], load), batch_size=2, num_workers=0)
    assert batch.shape == (2, 1, 60, 40)


def test_a_broken_film_is_refused_and_not_read_by_another_reader(wide: Path, tmp_path: Path) -> None:
    data = wide.read_bytes()
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(data[: len(data) - 2000])
    with pytest.raises(InputError) as caught:
        LoadImage(reader=RadiographReader())(broken)
    assert caught.value.code == "truncated-pixel-data"


def test_what_is_no_dicom_is_left_to_other_readers(tmp_path: Path) -> None:
    path = tmp_path / "array.npy"
    np.save(path, np.ones((4, 6), dtype=np.float32))
    assert LoadImage(reader=RadiographReader())(path).shape == (4, 6)
    with pytest.raises(InputError):
        RadiographReader().read(path)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("a.dcm", True),
        ("b.DCM", True),
        ("IM0001", True),
        ("1.2.840.7", True),
        ("film.png", False),
        ("film.nii.gz", False),
    ],
)
def test_suffixes_are_those_of_dicom(name: str, ours: bool) -> None:
    reader = RadiographReader()
    assert reader.verify_suffix(name) is ours
    assert reader.verify_suffix([name, "a.dcm"]) is ours


def test_the_reader_can_be_sent_to_worker_processes() -> None:
    assert pickle.loads(pickle.dumps(RadiographReader(swap_xy=False))).swap_xy is False
