"""Images in a DICOMweb service: found by QIDO-RS, fetched one by one by WADO-RS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from medcam.core.errors import InputError
from medcam.dicom.network.multipart import only_object
from medcam.dicom.network.qido import (
    MODALITY,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    Item,
    search,
    value,
)
from medcam.dicom.network.query import WebQuery, is_safe_uid
from medcam.dicom.network.security import Security
from medcam.dicom.network.web import Patience, WebClient, WebError

LARGEST_INSTANCE = 512 << 20
"""Bytes. A radiograph of 200 megapixels at 16 bits takes 400 MB."""
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""Transfer syntax "*": as it is stored (PS3.18 section 8.7.3.5.2)."""

_WHOLE_SERVICE = frozenset(("not-authorised", "web-unreachable", "web-untrusted", "web-redirected"))


@dataclass(frozen=True, eq=False)
class WebInstance:
    """An image that can be fetched, or one that cannot and why.

    Args:
        source: What records call it: digests of its study's and its own UID, no attribute in clear.
        client: The service that has it.
        path: Where it is there.
        problem: Why it cannot be fetched; None where it may be tried.
    """

    source: str
    client: WebClient = field(repr=False)
    path: str = field(repr=False)
    problem: InputError | None = None

    @property
    def name(self) -> str:
        """A file's name for it; it claims to be DICOM."""
        return f"{self.source.rpartition('/')[2]}.dcm"

    def read(self) -> bytes:
        """The bytes of the Part 10 file, as the service stores them.

        Raises:
            InputError: They cannot be had.
        """
        if self.problem is not None:
            raise self.problem
        try:
            return self.client.get(f"{self.client.url}{self.path}", ACCEPT, only_object, LARGEST_INSTANCE)
        except WebError as error:
            raise _input_error(error) from error


def find_instances(query: WebQuery, security: Security, patience: Patience | None = None) -> list[WebInstance]:
    """All instances that a query means, in the order in which the service names them, none fetched yet.

    Studies are searched for each modality; series of other modalities, such as what medcam itself made of an earlier
    run, are left out. What a service says about modalities is checked again here, since some ignore it.

    Args:
        query: What is meant.
        security: Headers and certificates.
        patience: How often requests are tried.

    Raises:
        UsageError: See `WebClient`.
        WebError: The service cannot be searched.
    """
    client = WebClient(query.url, security, patience)
    found: dict[str, WebInstance] = {}
    for instance in _Search(client, query).instances():
        found.setdefault(instance.path or instance.source, instance)
    return list(found.values())


class _Search:
    def __init__(self, client: WebClient, query: WebQuery) -> None:
        self._client, self._query = client, query

    def instances(self) -> Iterator[WebInstance]:
        for study in self._studies():
            if not is_safe_uid(study):
                yield self._unsafe(study)
                continue
            try:
                yield from self._in_study(study)
            except WebError as error:
                if error.code in _WHOLE_SERVICE or self._query.study:
                    raise
                yield self._lost(_source(study), error)

    def _studies(self) -> Iterator[str]:
        if self._query.study:
            yield self._query.study
            return
        seen = set()
        for modality in self._query.modalities:
            matches = [*self._query.matches, ("ModalitiesInStudy", modality)]
            for item in search(self._client, "/studies", matches, STUDY_INSTANCE_UID):
                uid = str(value(item, STUDY_INSTANCE_UID))
                if uid not in seen:
                    seen.add(uid)
                    yield uid

    def _in_study(self, study: str) -> Iterator[WebInstance]:
        for item in search(self._client, f"/studies/{study}/series", (), SERIES_INSTANCE_UID):
            series = str(value(item, SERIES_INSTANCE_UID))
            if not self._is_wanted(item, series):
                continue
            if not is_safe_uid(series):
                yield self._unsafe(study, series)
                continue
            yield from self._in_series(study, series)

    def _is_wanted(self, item: Item, series: str) -> bool:
        if self._query.series:
            return series == self._query.series
        modality = value(item, MODALITY)
        return not isinstance(modality, str) or modality in self._query.modalities

    def _in_series(self, study: str, series: str) -> Iterator[WebInstance]:
        path = f"/studies/{study}/series/{series}/instances"
        for item in search(self._client, path, (), SOP_INSTANCE_UID):
            uid = str(value(item, SOP_INSTANCE_UID))
            if self._query.instance and uid != self._query.instance:
                continue
            if not is_safe_uid(uid):
                yield self._unsafe(study, uid)
                continue
            yield WebInstance(_source(study, uid), self._client, f"{path}/{uid}")

    def _unsafe(self, *uids: str) -> WebInstance:
        error = InputError(
            "the DICOMweb service names it by a UID that is none, which is not put into a URL",
            code="unsafe-uid",
            next_step="Have the object corrected in the PACS, or annotate it from a file.",
        )
        return WebInstance(_source(*uids), self._client, "", error)

    def _lost(self, source: str, error: WebError) -> WebInstance:
        return WebInstance(source, self._client, "", _input_error(error))


def _source(*uids: str) -> str:
    """A name of digests, in which a UID is as it is in the paths of results."""
    return "/".join(("dicomweb", *(sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()[:16] for uid in uids)))


def _input_error(error: WebError) -> InputError:
    return InputError(error.message, code=error.code, next_step=error.next_step)
