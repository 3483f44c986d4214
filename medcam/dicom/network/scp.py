"""A DICOM node's ear: C-ECHO, C-STORE and storage commitment as a provider. What is done with objects is its owner's.

An object is acknowledged when its owner has taken it, not before. Nothing here parses what was sent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

from pydicom.dataset import Dataset
from pynetdicom import _config, evt
from pynetdicom._globals import ALL_TRANSFER_SYNTAXES
from pynetdicom.ae import ApplicationEntity
from pynetdicom.presentation import AllStoragePresentationContexts
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from medcam.core.errors import MedcamError, UsageError
from medcam.dicom.network.acceptor import BoundedServer
from medcam.dicom.network.commitment import (
    PUSH_MODEL,
    CommitmentError,
    CommitmentReport,
    CommitmentRequest,
    read_request,
    send_report,
)
from medcam.dicom.network.received import ReceivedObject, is_usable_uid
from medcam.dicom.network.scp_settings import ScpSettings
from medcam.dicom.quiet import quiet

_LOG = logging.getLogger("medcam.dicom")

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
NO_SUCH_ACTION = 0x0123
INVALID_ARGUMENT = 0x0115
INVALID_OBJECT_INSTANCE = 0x0117
SOP_CLASS_NOT_SUPPORTED = 0x0122
OUT_OF_RESOURCES = 0xA700
CANNOT_UNDERSTAND = 0xC000

_PIXELS_ELSEWHERE = frozenset(
    ("1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205")
)
"""JPIP: the pixels stay on the sender's server, so that keeping the object would keep nothing."""
_SETTLING_S = 0.25
"""Seconds for the answer to N-ACTION to go out before the report on it."""
_PATIENCE_S = 5.0


class OutOfResourcesError(MedcamError):
    """There is no room for an object: it is refused with status A700, and the sender may try again later."""

    default_code = "out-of-room"
    default_next_step = "Free some space, or raise --quota."


class Owner(Protocol):
    """Who takes what arrives. Called from several threads."""

    def take(self, received: ReceivedObject) -> None:
        """Takes an object; when this returns it must be safe, whatever happens next.

        Raises:
            OutOfResourcesError: There is no room for it.
            MedcamError: It cannot be taken now.
        """
        ...

    def commit_later(self, request: CommitmentRequest) -> bool:
        """Whether the owner will report on a commitment by itself; otherwise `commit` is asked for the report."""
        ...

    def commit(self, request: CommitmentRequest) -> CommitmentReport:
        """Looks which objects of a request are safe."""
        ...

    def notice(self, event: str) -> None:
        """Counts an event, such as "refused-host" or "association"."""
        ...


class StorageScp:
    """Listens until it is stopped.

    Args:
        settings: How.
        owner: Who takes what arrives.
    """

    def __init__(self, settings: ScpSettings, owner: Owner) -> None:
        self._settings, self._owner = settings, owner
        self._server: BoundedServer | None = None
        self._thread: threading.Thread | None = None
        self._quiet = ExitStack()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        return int(self._server.server_address[1])

    @property
    def listening(self) -> bool:
        """Whether it accepts connections."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begins to listen.

        Raises:
            UsageError: The address cannot be bound to (code `port-unavailable`).
        """
        # Its own handlers would put every element of a command into the log at each message.
        _config.LOG_HANDLER_LEVEL = "none"
        settings, entity = self._settings, self._entity()
        try:
            server: Any = entity.make_server(
                (settings.host, settings.port),
                evt_handlers=self._handlers(),
                server_class=BoundedServer,
                tls=settings.tls,
                allowed_hosts=settings.networks(),
                largest_object=settings.largest_object,
                refused=lambda why: self._owner.notice(f"refused-{why}"),
            )
        except OSError as error:
            raise UsageError(
                f"the node cannot listen on port {settings.port}: {error.strerror or 'it is taken'}",
                code="port-unavailable",
                next_step="Choose another with --port N, or another --host.",
            ) from error
        entity._servers.append(server)  # its shutdown takes it from there
        self._server = server
        self._quiet.enter_context(quiet())
        self._thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="medcam-scp", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = _PATIENCE_S) -> None:
        """Accepts nothing more, waits a little for what is being received, and aborts the rest."""
        if self._server is None or self._thread is None:
            return
        server, self._server = self._server, None
        server.shutdown()
        self._thread.join()
        deadline = time.monotonic() + patience_s
        while any(one.dimse.message is not None for one in server.active_associations) and time.monotonic() < deadline:
            time.sleep(0.05)
        for association in server.active_associations:
            association.abort()
        self._quiet.close()

    def _entity(self) -> ApplicationEntity:
        settings = self._settings
        entity = ApplicationEntity(ae_title=settings.aet)
        entity.require_called_aet = True
        entity.require_calling_aet = list(settings.allowed_aets)
        entity.maximum_associations = settings.max_associations
        entity.maximum_pdu_size = settings.max_pdu
        entity.network_timeout = entity.dimse_timeout = settings.network_timeout_s
        entity.acse_timeout = min(30.0, settings.network_timeout_s)
        kept = [syntax for syntax in ALL_TRANSFER_SYNTAXES if syntax not in _PIXELS_ELSEWHERE]
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), kept)
        entity.add_supported_context(Verification)
        entity.add_supported_context(PUSH_MODEL)
        return entity

    def _handlers(self) -> list[Any]:
        def notice(event: str) -> Callable[[evt.Event], None]:
            return lambda _event: self._owner.notice(event)

        return [
            (evt.EVT_C_ECHO, lambda _event: SUCCESS),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_N_ACTION, self._action),
            (evt.EVT_ACCEPTED, notice("association")),
            (evt.EVT_REJECTED, notice("refused-association")),
        ]

    def _store(self, event: evt.Event) -> Dataset:
        request: Any = event.request
        class_uid, instance_uid = str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)
        data = request.DataSet.getbuffer()
        if class_uid != event.context.abstract_syntax:
            return self._refuse(SOP_CLASS_NOT_SUPPORTED, "not the SOP class of the presentation context")
        if not is_usable_uid(instance_uid):
            return self._refuse(INVALID_OBJECT_INSTANCE, "the SOP Instance UID is none")
        if len(data) > self._settings.largest_object:
            return self._refuse(OUT_OF_RESOURCES, "the object is over the limit of size")
        if len(data) == 0:
            return self._refuse(CANNOT_UNDERSTAND, "the data set is empty")
        syntax, caller = str(event.context.transfer_syntax), str(event.assoc.requestor.ae_title).strip()
        try:
            self._owner.take(ReceivedObject(class_uid, instance_uid, syntax, data, caller))
        except OutOfResourcesError as error:
            return self._refuse(OUT_OF_RESOURCES, error.message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the sender must not take it for success
            _LOG.error("object not kept", extra={"code": getattr(error, "code", type(error).__name__)})
            return self._refuse(PROCESSING_FAILURE, "the object could not be kept")
        return _status(SUCCESS)

    def _refuse(self, status: int, why: str) -> Dataset:
        self._owner.notice("refused-object")
        _LOG.warning("object refused", extra={"status": f"0x{status:04X}", "why": why})
        return _status(status, why)

    def _action(self, event: evt.Event) -> tuple[Dataset, None]:
        if event.action_type != 1 or event.context.abstract_syntax != PUSH_MODEL:
            return _status(NO_SUCH_ACTION), None
        information = event.request.ActionInformation  # type: ignore[union-attr]
        data = memoryview(b"") if information is None else information.getbuffer()
        caller = str(event.assoc.requestor.ae_title).strip()
        request = read_request(data, str(event.context.transfer_syntax), caller)
        if request is None:
            return _status(INVALID_ARGUMENT), None
        try:
            later = self._owner.commit_later(request)
        except MedcamError as error:
            _LOG.error("commitment not taken", extra={"code": error.code})
            return _status(PROCESSING_FAILURE), None
        if not later:
            threading.Thread(
                target=self._report, args=(event.assoc, request), name="medcam-commit", daemon=True
            ).start()
        return _status(SUCCESS), None

    def _report(self, association: Any, request: CommitmentRequest) -> None:  # noqa: ANN401  the library's
        """Reports over the association that the request came by, as long as the peer keeps it open."""
        try:
            report = self._owner.commit(request)
            time.sleep(_SETTLING_S)
            if not association.is_established:
                raise CommitmentError("the peer has left before the report; name it with --peer")
            send_report(association, report)
        except MedcamError as error:
            _LOG.warning("commitment not reported", extra={"code": error.code})


def _status(code: int, comment: str = "") -> Dataset:
    status = Dataset()
    status.Status = code
    if comment:
        status.ErrorComment = comment[:64]
    return status
