"""Our objects in the hands of real servers: C-STORE, C-FIND, C-MOVE, STOW-RS, QIDO-RS, WADO-RS, TLS."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from dicomweb_client.web import DICOMwebClient

from medcam.dicom.network.deliver import deliver
from medcam.dicom.network.delivery import DeliveryOutcome
from medcam.dicom.network.destination import parse_destination
from medcam.dicom.network.security import Security
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate

from .servers.certificates import make_certificates
from .servers.orthanc import AE_TITLE

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


def test_what_stow_stored_is_found_and_fetched_by_an_independent_client(orthanc, film, objects, study):
    orthanc.upload(film)
    send(orthanc.web, objects, Security(headers={"Authorization": orthanc.authorization}))
    client = DICOMwebClient(orthanc.web.replace("dicomweb", "http"), headers={"Authorization": orthanc.authorization})

    found = client.search_for_instances(study, fields=["SeriesInstanceUID"])
    uids = {item["00080018"]["Value"][0]: item["0020000E"]["Value"][0] for item in found}
    assert set(uids) == {uid_of(film), *map(uid_of, objects)}
    for path in objects:
        sent = pydicom.dcmread(path)
        fetched = client.retrieve_instance(
            study, uids[sent.SOPInstanceUID], sent.SOPInstanceUID, media_types=(("application/dicom", "*"),)
        )
        assert fetched == sent


def test_c_find_and_c_move_bring_our_objects_to_another_archive(
    orthanc, film, objects, study, storescp, require_tool, tmp_path
):
    orthanc.upload(film)
    orthanc.add_modality(storescp.ae_title, storescp.port)
    send(orthanc.dimse, objects, Security())
    caller = ["-S", "-aet", "MEDCAM", "-aec", AE_TITLE]
    peer = ["127.0.0.1", str(orthanc.dicom_port)]

    keys = ["-k", "QueryRetrieveLevel=IMAGE", "-k", f"StudyInstanceUID={study}", "-k", "SOPInstanceUID"]
    answers = tmp_path / "answers"
    answers.mkdir()
    subprocess.run([require_tool("findscu"), *caller, "-X", "-od", answers, *keys, *peer], check=True)
    found = {str(pydicom.dcmread(path, force=True).SOPInstanceUID) for path in answers.iterdir()}
    assert found == {uid_of(film), *map(uid_of, objects)}

    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"]
    subprocess.run([require_tool("movescu"), *caller, "-aem", storescp.ae_title, *keys, *peer], check=True)
    moved = {uid_of(path): path for path in storescp.received()}
    assert set(moved) == {uid_of(film), *map(uid_of, objects)}
    for path in objects:
        assert pydicom.dcmread(moved[uid_of(path)]) == pydicom.dcmread(path)


def test_storescp_gets_the_bytes_that_lie_on_disk(storescp, objects):
    send(storescp.dimse, objects, Security())

    received = {uid_of(path): path for path in storescp.received()}
    assert {uid: data_set(path.read_bytes()) for uid, path in received.items()} == {
        uid_of(path): data_set(path.read_bytes()) for path in objects
    }


def test_objects_go_over_tls_to_a_server_that_asks_for_a_certificate(tls_storescp, objects, certificates):
    shown = Security(ca=certificates.authority, certificate=certificates.client, key=certificates.client_key)

    send(tls_storescp.dimse, objects, shown)

    assert {uid_of(path) for path in tls_storescp.received()} == set(map(uid_of, objects))


@pytest.mark.parametrize("lacking", ["trust", "certificate", "tls"])
def test_without_trust_certificate_or_tls_nothing_is_delivered(tls_storescp, objects, certificates, tmp_path, lacking):
    security = {
        "trust": Security(
            ca=make_certificates(tmp_path / "others").authority,
            certificate=certificates.client,
            key=certificates.client_key,
        ),
        "certificate": Security(ca=certificates.authority),
        "tls": Security(),
    }[lacking]

    deliveries = deliver(parse_destination(tls_storescp.dimse), objects, replace(security, timeout_s=5))

    assert {(item.outcome, item.code) for item in deliveries} == {(DeliveryOutcome.FAILED, "peer-unreachable")}
    assert tls_storescp.received() == []


def test_a_caller_that_orthanc_does_not_know_is_told_so(orthanc, objects):
    deliveries = deliver(parse_destination(orthanc.dimse), objects, Security(calling_aet="STRANGER"))

    assert {item.outcome for item in deliveries} == {DeliveryOutcome.FAILED}
    assert orthanc.instances() == {}


def test_without_a_password_nothing_is_stored(orthanc, objects):
    deliveries = deliver(parse_destination(orthanc.web), objects, Security())

    assert {(item.outcome, item.code) for item in deliveries} == {(DeliveryOutcome.FAILED, "not-authorised")}
    assert orthanc.instances() == {}
