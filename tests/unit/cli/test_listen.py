"""`medcam listen`: from words to options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.cli import listen as command
from medcam.dicom.network.destination import DimseDestination, WebDestination
from medcam.service.node.options import NodeOptions, default_data_folder

from .conftest import Ended


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[NodeOptions]:
    """Options that a node was started with, in place of the node."""
    started: list[NodeOptions] = []
    monkeypatch.setattr(command, "run", started.append)
    return started


def test_without_options_it_is_reached_from_this_computer_alone(medcam: Callable[..., Ended], started):
    assert medcam("listen").code == 0
    [options] = started
    assert (options.listen.aet, options.listen.port, options.listen.host) == ("MEDCAM", 11112, "127.0.0.1")
    assert all(network.is_loopback for network in options.listen.networks() or ())
    assert (options.data, options.send_to, options.health_port) == (default_data_folder(), (), None)


def test_options_arrive_in_their_units(medcam: Callable[..., Ended], started, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MEDCAM_DICOMWEB_AUTHORIZATION", "Bearer secret")
    destinations = ["--send-to", "PACS@192.0.2.7:104", "--send-to", "dicomwebs://pacs.example.org/dicom"]
    limits = ["--quota", 2, "--max-object", 64, "--keep-days", 0, "--attempts", 3, "--retry-wait", 0.5]
    who = ["--allow-aet", "CT1", "--allow-host", "192.0.2.0/24", "--peer", "CT1@192.0.2.8:11112"]

    how = ["--model", "mine", "--method", "grad-cam", "--engine", "torch:fp32"]

    ended = medcam("listen", "--aet", "NODE", "--data", tmp_path, "--quiet", 1.5, *destinations, *limits, *who, *how)

    assert ended.code == 0, ended.err
    [options] = started
    assert options.send_to == (
        DimseDestination("PACS", "192.0.2.7", 104),
        WebDestination("https://pacs.example.org/dicom"),
    )
    assert (options.quota, options.listen.largest_object, options.keep_days) == (2_000_000_000, 64_000_000, None)
    assert (options.sending.attempts, options.sending.first, options.quiet_s) == (3, 0.5, 1.5)
    assert (options.annotate.model, options.annotate.method, options.annotate.engine) == (
        "mine",
        "grad-cam",
        "torch:fp32",
    )
    assert options.peers == {"CT1": DimseDestination("CT1", "192.0.2.8", 11112)}
    assert (options.security.calling_aet, options.security.headers) == ("NODE", {"Authorization": "Bearer secret"})
    assert "secret" not in repr(options)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--aet", "A" * 17), "bad-ae-title"),
        (("--allow-host", "nowhere"), "bad-host"),
        (("--send-to", "somewhere"), "bad-destination"),
        (("--peer", "dicomweb://127.0.0.1/x"), "bad-destination"),
        (("--tls-cert", "node.pem"), "bad-certificate"),
        (("--tls-ca", "ca.pem"), "bad-certificate"),
        (("--send-tls-ca", "absent.pem"), "bad-certificate"),
    ],
)
def test_what_cannot_be_is_told_before_anything_starts(medcam: Callable[..., Ended], started, arguments, code):
    ended = medcam("listen", *arguments)

    assert (ended.code, code in ended.err, started) == (2, True, [])
