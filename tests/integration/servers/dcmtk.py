"""dcmtk's storescp, which keeps data sets byte by byte as they come, over TCP or TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydicom

from .certificates import Certificates
from .processes import free_port, listens, running

_PROPOSES = {
    "1.2.840.10008.1.2.1": "-xe",
    "1.2.840.10008.1.2.4.80": "-xt",
    "1.2.840.10008.1.2.4.90": "-xv",
    "1.2.840.10008.1.2.5": "-xr",
}


def propose(film: Path) -> str:
    """The option that lets storescu send a film as it is encoded: it proposes one compression at a time."""
    return _PROPOSES[pydicom.dcmread(film, stop_before_pixels=True).file_meta.TransferSyntaxUID]


@dataclass(frozen=True)
class StoreScp:
    """A running storescp.

    Args:
        ae_title: Its own.
        port: Where it listens.
        folder: Where received objects lie.
    """

    ae_title: str
    port: int
    folder: Path

    @property
    def dimse(self) -> str:
        """As --send-to."""
        return f"{self.ae_title}@localhost:{self.port}"

    def received(self) -> list[Path]:
        """Files of the objects that came."""
        return sorted(self.folder.iterdir())


@contextmanager
def running_storescp(
    program: str,
    folder: Path,
    ae_title: str = "STORESCP",
    certificates: Certificates | None = None,
    port: int | None = None,
) -> Iterator[StoreScp]:
    """Runs storescp until the block is left.

    Args:
        program: Its path.
        folder: Takes the objects (below `received`) and the log.
        ae_title: Its own.
        certificates: Turns TLS on; callers have to show a certificate by the same authority.
        port: Where it listens; None for a free port.
    """
    server = StoreScp(ae_title, port or free_port(), folder / "received")
    server.folder.mkdir(parents=True)
    tls: list[str | Path] = []
    if certificates is not None:
        tls = ["+tls", certificates.server_key, certificates.server, "+cf", certificates.authority]
    command = [program, "-aet", ae_title, "+xa", "-pm", "+B", *tls, "-od", server.folder, str(server.port)]
    with running(command, folder / "storescp.log", lambda: listens(server.port)):
        yield server
