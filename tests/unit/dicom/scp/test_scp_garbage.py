"""Connections that speak no DICOM: each ends alone, and in time."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from medcam.dicom.network.scp import StorageScp

from .calling import associate, caller

# The calling side of these tests is pynetdicom's: it leaves the socket of a refused or aborted association to the
# garbage collector, whose warning then falls on whatever test is running.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def raw(scp: StorageScp) -> socket.socket:
    return socket.create_connection(("127.0.0.1", scp.port), timeout=20)


def test_a_pdu_of_four_gigabytes_is_not_waited_for(listen):
    scp = listen()
    with raw(scp) as peer:
        peer.sendall(struct.pack(">BBL", 1, 0, 0xFFFFFFFE) + bytes(1000))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                peer.sendall(bytes(1000))
            except OSError:
                break
            time.sleep(0.01)
        else:
            pytest.fail("the node goes on reading")
    assert associate(scp, caller()).is_established


def test_silence_is_not_listened_to_for_ever(listen):
    scp = listen(network_timeout_s=0.5)
    with raw(scp) as peer:
        assert peer.recv(1) in (b"", b"\x07")


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x04\x00\x00\x00\x00\x06\x00\x00\x00\x02\x01\x03", b"\xff" * 64]
)
def test_garbage_ends_its_own_connection_alone(listen, garbage):
    scp = listen()
    with raw(scp) as peer:
        peer.sendall(garbage)
    assert associate(scp, caller()).is_established
