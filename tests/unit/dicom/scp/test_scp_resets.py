"""A peer that resets its connection costs the node no descriptor."""

from __future__ import annotations

import gc
import socket
import struct
import time
from pathlib import Path

from medcam.dicom.network.scp import StorageScp
from medcam.dicom.network.scp_settings import ScpSettings

RESET_AT_ONCE = struct.pack("ii", 1, 0)
BEGINNING_OF_A_REQUEST = bytes([1, 0, 0, 0, 0, 200])


class Owner:
    """Is told of nothing here but refusals."""

    def notice(self, event: str) -> None:
        raise AssertionError(event)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_connection_that_the_peer_resets_is_closed_here():
    scp = StorageScp(ScpSettings(aet="NODE", port=0), Owner())
    scp.start()
    gc.collect()
    gc.disable()  # it would close what the node had left open
    try:
        before = descriptors()
        for _ in range(8):
            with socket.create_connection(("127.0.0.1", scp.port)) as peer:
                peer.sendall(BEGINNING_OF_A_REQUEST)
                time.sleep(0.1)
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        deadline = time.monotonic() + 20
        while descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.05)
        after = descriptors()
    finally:
        gc.enable()
        scp.stop()

    assert after <= before
