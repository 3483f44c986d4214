"""What a node is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.core.folders import data_folder
from medcam.dicom.network.destination import Destination, DimseDestination
from medcam.dicom.network.scp_settings import ScpSettings
from medcam.dicom.network.security import Security
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.jobs.retrying import RetryPolicy

NODE_OUTPUTS = (Output.JSON, Output.SC, Output.SEG, Output.SR)


def default_data_folder() -> Path:
    """$XDG_DATA_HOME/medcam/node."""
    return data_folder() / "node"


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """How a node works.

    Args:
        listen: How it listens.
        data: Its data folder.
        annotate: What is made of each film.
        send_to: Where results go; may be empty.
        security: What it shows to those it sends to.
        store: Folder or URL of a store: films and explanations are kept there for readers, and the jobs are too. None
            for jobs in the data folder and films nowhere but in results.
        quiet_s: Seconds without a new object after which a study is taken for complete.
        keep_days: Days after which a study that is finished and sent is let go of; None for never.
        quota: Bytes of the data folder; None for as many as the disk has.
        sending: When a result that was not taken is sent again, and when it is given up.
        peers: Where those listen that ask for storage commitment, by AE title.
        health_port: TCP port of health and metrics on this computer; 0 for any that is free, None for none.
        retry_dead: Whether to try again what was given up.
    """

    listen: ScpSettings
    data: Path
    annotate: AnnotateOptions = field(default_factory=lambda: AnnotateOptions(outputs=NODE_OUTPUTS))
    send_to: tuple[Destination, ...] = ()
    security: Security = field(default_factory=Security)
    store: str | None = None
    quiet_s: float = 10.0
    keep_days: float | None = 30.0
    quota: int | None = None
    sending: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=10))
    peers: Mapping[str, DimseDestination] = field(default_factory=dict)
    health_port: int | None = None
    retry_dead: bool = False

    def __post_init__(self) -> None:
        if self.quiet_s < 0:
            raise UsageError("--quiet is not negative")
        if self.keep_days is not None and self.keep_days <= 0:
            raise UsageError("--keep-days is positive")
        if self.quota is not None and self.quota <= 0:
            raise UsageError("--quota is positive")
