"""What a built distribution holds: the package with its data, the dashboards and the samples, and nothing else."""

from __future__ import annotations

import email
import tarfile
import zipfile

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from .pages import ROOT

LARGEST_WHEEL = 60_000_000


def tracked(folder: str) -> set[str]:
    """Files below a folder of the checkout that are neither caches nor compiled."""
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT / folder).as_posix() for path in files if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def names(wheel):
    return set(wheel.namelist())


@pytest.mark.parametrize(
    ("folder", "inside"),
    [("medcam", "medcam"), ("dashboards", "medcam/_dashboards"), ("sample_data", "medcam/_sample_data")],
)
def test_a_folder_is_packed_whole(names, folder, inside):
    assert tracked(folder)
    assert {f"{inside}/{file}" for file in tracked(folder)} <= names


def test_what_runs_without_a_checkout_is_there(names):
    assert {
        "medcam/py.typed",
        "medcam/anatomy/atlas.npz",
        "medcam/models/weights/phantom/card.json",
        "medcam/models/weights/phantom/weights.safetensors",
        "medcam/_dashboards/home.py",
        "medcam/_dashboards/how-heatmaps-mislead.md",
        "medcam/_dashboards/how-heatmaps-mislead.ko.md",
        "medcam/_dashboards/what-a-map-can-tell.md",
        "medcam/_sample_data/truth.json",
    } <= names


def test_nothing_else_is_packed(names):
    strangers = {name for name in names if not name.startswith(("medcam/", "medcam_cxr-"))}

    assert not strangers
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_a_wheel_stays_small(wheel):
    assert sum(entry.compress_size for entry in wheel.infolist()) < LARGEST_WHEEL


def test_metadata_name_the_distribution_its_licence_and_its_command(wheel, names):
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    fields = email.message_from_bytes(wheel.read(metadata))
    (scripts,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))

    assert fields["Name"] == "medcam-cxr"
    assert fields["License-Expression"] == "Apache-2.0"
    assert wheel.read(scripts).decode().split() == ["[console_scripts]", "medcam", "=", "medcam.cli.main:main"]
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_a_source_distribution_can_build_the_wheel_again(tmp_path, names):
    (source,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())

    (again,) = WheelBuilder(str(unpacked)).build(directory=str(tmp_path / "again"), versions=["standard"])

    with zipfile.ZipFile(again) as archive:
        assert set(archive.namelist()) == names
