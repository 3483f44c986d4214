"""How a node listens, and to whom."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.dicom.network.destination import is_ae_title


@dataclass(frozen=True, slots=True)
class ScpSettings:
    """How a node listens.

    Args:
        aet: Its AE title; callers must call it by this name.
        port: TCP port; 0 for any that is free.
        host: Address to bind to.
        allowed_aets: Calling AE titles; empty for any.
        allowed_hosts: Addresses or networks that may connect; empty for this computer alone where `host` is one of its
            own addresses, and for any otherwise.
        tls: None for plain connections.
        largest_object: Bytes of a data set.
        max_associations: At a time.
        max_pdu: Bytes that a peer may send at once.
        network_timeout_s: Seconds that a peer may be silent.

    Raises:
        UsageError: A value cannot be (codes `bad-ae-title`, `bad-host`, `usage`).
    """

    aet: str
    port: int
    host: str = "127.0.0.1"
    allowed_aets: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    largest_object: int = 1 << 29
    max_associations: int = 10
    max_pdu: int = 1 << 16
    network_timeout_s: float = 60.0

    def __post_init__(self) -> None:
        for title in (self.aet, *self.allowed_aets):
            if not is_ae_title(title):
                raise UsageError(
                    "an AE title has other than 1 to 16 printable ASCII characters, or a backslash",
                    code="bad-ae-title",
                    next_step="Choose another one.",
                )
        if not 0 <= self.port <= 65535 or self.max_associations < 1 or not 4096 <= self.max_pdu <= 1 << 20:
            raise UsageError("a port, a number of associations or a length of PDUs cannot be")
        if self.largest_object < 1 or self.network_timeout_s <= 0:
            raise UsageError("a limit of size or time is not positive")
        self.networks()

    def networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] | None:
        """The networks that may connect; None for any.

        Raises:
            UsageError: One of them is none (code `bad-host`).
        """
        try:
            if self.allowed_hosts:
                return tuple(ipaddress.ip_network(host, strict=False) for host in self.allowed_hosts)
            own = ipaddress.ip_address(self.host).is_loopback
        except ValueError as error:
            raise UsageError(
                "a host is no IP address and no network",
                code="bad-host",
                next_step="Give addresses such as 192.0.2.7, or networks such as 192.0.2.0/24.",
            ) from error
        return (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")) if own else None


def server_tls(certificate: Path, key: Path, ca: Path | None = None) -> ssl.SSLContext:
    """A context for a server: TLS 1.2 at least.

    Args:
        certificate: PEM file of the node's certificate.
        key: PEM file of its private key, not encrypted.
        ca: PEM file of the authorities that sign clients' certificates, which are then required; None for any client.

    Raises:
        UsageError: A file cannot be read or used (code `bad-certificate`).
    """
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Without a password of its own OpenSSL asks for one on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
        if ca is not None:
            context.load_verify_locations(ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UsageError(
            "a certificate, key or list of authorities cannot be read or used",
            code="bad-certificate",
            next_step="Give PEM files: --tls-cert and --tls-key (not encrypted), and --tls-ca for those of clients.",
        ) from error
    return context
