"""How the HTTP API is run."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from medcam.core.errors import UsageError
from medcam.dicom.network.query import parse_query
from medcam.models.engines.names import AUTO, parse_engine
from medcam.service.submissions.box import SubmissionLimits

HOST = "127.0.0.1"
DEFAULT_PORT = 8600


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How the HTTP API is run.

    Args:
        store: Folder or URL of the store; None for the one in the user's data folder.
        address: Address to listen on. Another one than loopback needs tokens.
        port: TCP port; 0 for any that is free.
        workers: Processes beside the server that explain; 0 where `medcam work` runs elsewhere.
        threads: Threads of each that read and prepare.
        engine: What computes their maps, see `medcam.load_model`.
        tokens: Whether requests need a token: True, or None for "on another address than loopback, or where the store
            has one".
        services: DICOMweb services that submissions may name, as dicomweb://host[:port]/path.
        limits: Of submissions.
        per_minute: Submissions of one client in a minute.
        requests_per_minute: All requests of one client in a minute.
        streams: Streams of events that one client may hold open.
        stream_seconds: Seconds after which a stream ends and is asked for anew, such as before a proxy cuts it.
        silence: Seconds that a client may be silent while it uploads.
        slowest: Bytes a second that an upload must reach on the whole, after `silence` seconds.
    """

    store: str | None = None
    address: str = HOST
    port: int = DEFAULT_PORT
    workers: int = 1
    threads: int = 1
    engine: str = AUTO
    tokens: bool | None = None
    services: tuple[str, ...] = ()
    limits: SubmissionLimits = field(default_factory=SubmissionLimits)
    per_minute: int = 600
    requests_per_minute: int = 6000
    streams: int = 20
    stream_seconds: float = 3600.0
    silence: float = 30.0
    slowest: int = 16_384

    def __post_init__(self) -> None:
        parse_engine(self.engine)
        counts = (self.per_minute, self.requests_per_minute, self.streams, self.slowest)
        if min(counts) < 1 or min(self.silence, self.stream_seconds) <= 0.0:
            raise UsageError("limits of the API are positive numbers")
        for service in self.services:
            query = parse_query(service)
            if query.matches or query.study:
                raise UsageError(
                    "--service names a DICOMweb service, without a study or a search behind it", code="bad-destination"
                )

    @property
    def loopback(self) -> bool:
        """Whether nobody but this computer can reach it."""
        return is_loopback(self.address)

    @property
    def base_urls(self) -> frozenset[str]:
        """Base URLs of the services that may be named."""
        return frozenset(parse_query(service).url for service in self.services)


def is_loopback(host: str) -> bool:
    """Whether a name or address is this computer's own and nobody else's."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
