"""Images of a DICOMweb service as inputs of many machines: the driver lists them, worker processes fetch them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from medcam.core.errors import InputError
from medcam.dicom.network.security import Security, headers_from_environment
from medcam.service.annotate.inputs import Input
from medcam.service.cluster.settings import ClusterError

if TYPE_CHECKING:
    from medcam.dicom.network.web import WebClient


@dataclass(frozen=True, slots=True)
class WebAccess:
    """How worker processes call DICOMweb services.

    Args:
        security: Certificates, by paths that mean the same on every machine, and no headers: these are secrets, which
            every machine has in its own environment.
        headers: The names of those that are sent.
    """

    security: Security
    headers: tuple[str, ...] = ()

    @classmethod
    def of(cls, security: Security) -> WebAccess:
        """What may be told of the driver's own way to call a service."""
        ca, certificate, key = (
            None if path is None else path.absolute() for path in (security.ca, security.certificate, security.key)
        )
        told = replace(security, headers={}, ca=ca, certificate=certificate, key=key)
        return cls(told, tuple(sorted(security.headers)))

    def here(self) -> Security:
        """The same with the headers of this machine's environment.

        Raises:
            ClusterError: It lacks one (code `machines-differ`).
            UsageError: They cannot be read (code `bad-web-headers`).
        """
        headers = headers_from_environment() if self.headers else {}
        if lacking := sorted({name.lower() for name in self.headers} - {name.lower() for name in headers}):
            raise ClusterError(
                f"a machine of the cluster has no {', '.join(lacking)} header for the DICOMweb service",
                code="machines-differ",
                next_step="Set MEDCAM_DICOMWEB_AUTHORIZATION and MEDCAM_DICOMWEB_HEADERS on every machine before "
                "`ray start`: medcam does not hand secrets on.",
            )
        return replace(self.security, headers=headers)


@dataclass(frozen=True, eq=False)
class WebFetcher:
    """The services that a process fetches from, each with connections that are kept.

    Args:
        access: How; None where no input is an image of a service.
    """

    access: WebAccess | None = None
    _clients: dict[str, WebClient] = field(default_factory=dict, repr=False)

    def check(self) -> None:
        """Whether this machine can call services; raises as `WebAccess.here`."""
        if self.access is not None:
            self.access.here()

    def input_of(self, record: Mapping[str, Any]) -> Input:
        """The input of a record that `web_record` made.

        Raises:
            MedcamError: This machine cannot call services.
        """
        from medcam.dicom.network.web_source import WebInstance

        problem = record["problem"]
        refusal = problem and InputError(problem["message"], code=problem["code"], next_step=problem["next_step"])
        return WebInstance(record["source"], self._client(record["service"]), record["path"], refusal)

    def _client(self, url: str) -> WebClient:
        from medcam.dicom.network.web import WebClient

        if url not in self._clients:
            self._clients[url] = WebClient(url, (self.access or WebAccess(Security())).here())
        return self._clients[url]


def web_access(files: Sequence[Input], security: Security) -> WebAccess | None:
    """How inputs are fetched; None where none of them is an image of a service."""
    return WebAccess.of(security) if any(web_record(file) for file in files) else None


def web_record(file: Input) -> dict[str, Any] | None:
    """An image of a service as JSON values; None for other inputs. What was searched for is not among them."""
    client = getattr(file, "client", None)
    if client is None:
        return None
    from medcam.dicom.network.web_source import WebInstance  # needs an HTTP library, which files do not

    if not isinstance(file, WebInstance):
        return None
    problem = file.problem
    told = problem and {"message": problem.message, "code": problem.code, "next_step": problem.next_step}
    return {"service": client.url, "path": file.path, "source": file.source, "problem": told}
