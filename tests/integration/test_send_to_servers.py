"""Our objects in the hands of real servers: C-STORE, C-FIND, C-MOVE, STOW-RS, QIDO-RS, WADO-RS, TLS."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pydicom
import pytest

from medcam.dicom.network.deliver import deliver
from medcam.dicom.network.delivery import DeliveryOutcome
from medcam.dicom.network.destination import parse_destination
from medcam.dicom.network.security import Security
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate

ROOT = Path(__file__).resolve().parents[2]
ALL_KINDS = ("gsps.dcm", "ko.dcm", "sc.dcm", "seg-map.dcm", "seg.dcm", "sr.dcm")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of the samples with a finding that the shipped model calls present."""
    truth = json.loads((ROOT / "sample_data" / "truth.json").read_text(encoding="utf-8"))
    for path in sorted((ROOT / "sample_data").glob("*.dcm")):
        if truth[str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)]["findings"]:
            return path
    raise AssertionError("every sample is without findings")


@pytest.fixture(scope="session")
def objects(film: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All six kinds of objects of that film."""
    out = tmp_path_factory.mktemp("objects")
    annotate([film], out, AnnotateOptions(outputs=tuple(Output)))
    found = sorted(out.rglob("*.dcm"))
    assert tuple(path.name for path in found) == ALL_KINDS
    return found


@pytest.fixture
def study(film: Path) -> str:
    return str(pydicom.dcmread(film, stop_before_pixels=True).StudyInstanceUID)


def uid_of(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def send(destination: str, files: list[Path], security: Security) -> None:
    deliveries = deliver(parse_destination(destination), files, security)
    assert [(item.path, item.outcome, item.code) for item in deliveries] == [
        (path, DeliveryOutcome.ACCEPTED, "") for path in files
    ]


def data_set(content: bytes) -> bytes:
    """What follows the file meta information, byte by byte."""
    stream = io.BytesIO(content)
    pydicom.filereader.read_preamble(stream, force=False)
    pydicom.filereader._read_file_meta_info(stream)
    return stream.read()


@pytest.mark.parametrize("how", ["dimse", "web"])
def test_all_kinds_come_to_lie_in_the_source_study_once(orthanc, film, objects, study, how):
    security = Security(headers={"Authorization": orthanc.authorization} if how == "web" else {})
    orthanc.upload(film)

    for _ in range(2):
        send(getattr(orthanc, how), objects, security)

    assert set(orthanc.instances(study)) == {uid_of(film), *map(uid_of, objects)}
    assert len(orthanc.rest("GET", "/studies").json()) == 1
    for path in objects:
        assert data_set(orthanc.file(uid_of(path))) == data_set(path.read_bytes())
