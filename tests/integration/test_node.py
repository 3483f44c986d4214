"""The node among real programs: asked, fed over TCP and TLS, stopped, refused, given up and tried again."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from .servers.certificates import make_certificates
from .servers.dcmtk import propose, running_storescp
from .servers.node import AE_TITLE, Node
from .servers.orthanc import Orthanc

ROOT = Path(__file__).resolve().parents[2]
FILMS = sorted((ROOT / "sample_data").glob("*.dcm"))[:4]
EVERY_FILM_GETS = {"1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.88.34"}
"""Secondary Capture and Comprehensive 3D SR."""


@pytest.fixture
def storescu(require_tool: Callable[[str], str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Sends a film with dcmtk's program."""
    program = require_tool("storescu")

    def send(node: Node, film: Path, options: tuple[str | Path, ...] = ()) -> subprocess.CompletedProcess[str]:
        peer = ["-aet", "MODALITY", "-aec", AE_TITLE, "127.0.0.1", str(node.port)]
        command = [program, propose(film), *options, *peer, film]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    return send


def header(path: Path) -> pydicom.Dataset:
    return pydicom.dcmread(path, stop_before_pixels=True)


@pytest.mark.parametrize("how", ["dimse", "web"])
def test_a_pushed_study_comes_back_annotated_within_the_same_study(orthanc: Orthanc, storescu, tmp_path, how):
    for film in FILMS:
        orthanc.upload(film)
    node = Node(tmp_path / "node", ("--send-to", getattr(orthanc, how)))
    secret = {"MEDCAM_DICOMWEB_AUTHORIZATION": orthanc.authorization}
    with node.runs(environment=secret):
        assert [storescu(node, film).returncode for film in FILMS] == [0] * len(FILMS)
        node.wait_until(lambda jobs: jobs.get(("send", "done"), 0) == len(FILMS))
        stored = {uid: orthanc.file(uid) for uid in orthanc.instances()}

        assert [storescu(node, film).returncode for film in FILMS] == [0] * len(FILMS)
        node.wait_until_idle()

        assert "medcam_received_again_total 4.0" in node.metrics()
        assert {uid: orthanc.file(uid) for uid in orthanc.instances()} == stored
    assert len(orthanc.rest("GET", "/studies").json()) == len(FILMS)
    for film in FILMS:
        source = header(film)
        found = orthanc.instances(source.StudyInstanceUID)
        made = [orthanc.rest("GET", f"/instances/{known}/simplified-tags").json() for known in found.values()]
        assert {tags["SOPClassUID"] for tags in made} >= EVERY_FILM_GETS
        assert {tags["PatientID"] for tags in made} == {source.PatientID}
        assert {tags["AccessionNumber"] for tags in made} == {source.get("AccessionNumber", "")}
    assert orthanc.password not in node.log.read_text()


def test_echo_health_and_an_end_in_good_order(require_tool, tmp_path):
    node = Node(tmp_path / "node")
    with node.runs() as process:
        echo = [require_tool("echoscu"), "127.0.0.1", str(node.port)]
        assert subprocess.run([*echo, "-aec", AE_TITLE]).returncode == 0
        assert subprocess.run([*echo, "-aec", "ANOTHER"], capture_output=True).returncode != 0
        assert node.health().json() == {"live": True, "ready": True, "reasons": []}
        assert "medcam_disk_bytes" in node.metrics()

        second = subprocess.run(node.command, capture_output=True, text=True, timeout=120)
        assert (second.returncode, "node-running" in second.stderr) == (2, True)
        stranger = Node(tmp_path / "other", port=node.port)
        taken = subprocess.run(stranger.command, capture_output=True, text=True, timeout=120)
        assert (taken.returncode, "port-unavailable" in taken.stderr) == (2, True)

        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    lines = [line for line in node.log.read_text().splitlines() if line.startswith("{")]
    assert [json.loads(line)["event"] for line in lines][-1] == "stopping"


def test_a_caller_that_is_not_named_is_kept_out(storescu, tmp_path):
    node = Node(tmp_path / "node", ("--allow-aet", "CT1"))
    with node.runs():
        assert storescu(node, FILMS[0]).returncode != 0
        assert "medcam_received_total 0.0" in node.metrics()
    assert list((node.data / "inbox").iterdir()) == []


def test_films_come_over_tls_from_those_who_show_a_certificate(storescu, certificates, tmp_path):
    options = ("--tls-cert", certificates.server, "--tls-key", certificates.server_key)
    node = Node(tmp_path / "node", (*map(str, options), "--tls-ca", str(certificates.authority)))
    stranger = make_certificates(tmp_path / "stranger")
    trust = ("+cf", certificates.authority)
    with node.runs():
        assert storescu(node, FILMS[0]).returncode != 0
        assert storescu(node, FILMS[0], options=("+tla", *trust)).returncode != 0
        unknown = ("+tls", stranger.client_key, stranger.client, *trust)
        assert storescu(node, FILMS[0], options=unknown).returncode != 0
        assert "medcam_received_total 0.0" in node.metrics()

        known = ("+tls", certificates.client_key, certificates.client, *trust)
        sent = storescu(node, FILMS[0], options=known)
        assert sent.returncode == 0, sent.stderr
        node.wait_until(lambda jobs: jobs.get(("annotate", "done"), 0) == 1)
        assert "medcam_annotated_total 1.0" in node.metrics()


def test_what_nobody_takes_becomes_a_dead_letter_and_is_sent_when_asked_for(storescu, require_tool, tmp_path):
    program = require_tool("storescp")
    with running_storescp(program, tmp_path / "first") as server:
        destination = server.dimse
    node = Node(tmp_path / "node", ("--send-to", destination, "--attempts", "2", "--retry-wait", "0.2"))
    letters = node.data / "dead-letter"
    with node.runs():
        assert storescu(node, FILMS[0]).returncode == 0
        node.wait_until(lambda jobs: jobs.get(("send", "failed"), 0) == 1)
        [letter] = letters.iterdir()
        reason = json.loads((letter / "reason.json").read_text())
        assert (reason["kind"], reason["code"], reason["failures"]) == ("send", "peer-unreachable", 2)
        assert reason["destination"] == destination
        kept = {path.name: path.read_bytes() for path in letter.glob("*.dcm")}
        assert len(kept) >= len(EVERY_FILM_GETS)
        assert 'medcam_dead_total{kind="send"} 1.0' in node.metrics()

    with running_storescp(program, tmp_path / "again", port=server.port) as server:
        with node.runs():  # without being asked, nothing is tried again
            node.wait_until_idle()
            assert server.received() == []
        with node.runs("--retry-dead"):
            node.wait_until(lambda jobs: jobs.get(("send", "done"), 0) == 1)
        received = {str(header(path).SOPInstanceUID): pydicom.dcmread(path) for path in server.received()}
    assert list(letters.iterdir()) == []
    sent = [pydicom.dcmread(path) for path in (node.data / "results").rglob("*.dcm")]
    assert received == {str(one.SOPInstanceUID): one for one in sent}
    assert {path.name: path.read_bytes() for path in (node.data / "results").rglob("*.dcm")} == kept
