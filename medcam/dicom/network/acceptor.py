"""Accepts associations within limits: who may connect, how much a peer may send, how long it may keep a thread."""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

_LOG = logging.getLogger("medcam.dicom")
_LARGEST_PDU = 1 << 20
"""Bytes; an association request with 128 presentation contexts of all transfer syntaxes has a quarter of it."""
_LARGEST_COMMAND = 1 << 16
_CONNECTIONS_PER_ASSOCIATION = 4
"""Connections that may be open for each association that is allowed: some have not asked for theirs yet."""
_INVALID_PDU = "Evt19"
"""The upper layer's event for an invalid PDU: it aborts the association (PS3.8 table 9-4)."""


class _BoundedSocket(AssociationSocket):
    """Does not read a PDU of a length that nobody needs (the library would believe up to 4 GiB), and always closes."""

    def recv(self, nr_bytes: int) -> bytearray:
        if nr_bytes > _LARGEST_PDU:
            raise OSError("a PDU is longer than 1 MiB")
        return super().recv(nr_bytes)

    def _shutdown_socket(self) -> None:
        """Closes the connection where the peer has reset it too: the library leaves that one open."""
        kept = self.socket
        super()._shutdown_socket()
        if kept is not None:
            kept.close()


class _BoundedMessages(DIMSEServiceProvider):
    """Lets go of what exceeds the limit of an object while it arrives.

    What has arrived by then is over the limit already, so that whoever serves the request sees that and refuses it.
    """

    def __init__(self, assoc: Association, largest: int) -> None:
        super().__init__(assoc)
        self._largest = largest
        self._command = self._data = 0

    def receive_primitive(self, primitive: P_DATA) -> None:
        if self.message is None:
            self._command = self._data = 0
        kept: list[Any] = []
        for context_id, fragment in primitive.presentation_data_value_list:
            if not fragment:
                self.dul.event_queue.put(_INVALID_PDU)
                return
            if fragment[0] & 1:
                self._command += len(fragment)
            elif self._data > self._largest:
                fragment = fragment[:1]  # its header says whether it is the last one
            else:
                self._data += len(fragment) - 1
            kept.append([context_id, fragment])
        if self._command > _LARGEST_COMMAND:
            self.dul.event_queue.put(_INVALID_PDU)
            return
        primitive.presentation_data_value_list = kept
        super().receive_primitive(primitive)


class _BoundedHandler(RequestHandler):
    """Makes associations with the bounds above."""

    server: BoundedServer

    def _create_association(self) -> Association:
        association = super()._create_association()
        association.dimse = _BoundedMessages(association, self.server.largest_object)
        # The library makes the socket itself; what it has made so far is the same in the subclass.
        assert association.dul.socket is not None
        association.dul.socket.__class__ = _BoundedSocket
        return association


class BoundedServer(ThreadedAssociationServer):
    """A server for associations; each connection has its own thread, in which the TLS handshake happens too.

    Args:
        ae: The application entity.
        address: To bind to.
        ae_title: Its title.
        contexts: What it accepts.
        ssl_context: Unused; see `tls`. The library would shake hands in the thread that accepts connections, where one
            silent peer keeps all others out.
        evt_handlers: As the library takes them.
        tls: For TLS; None for plain connections.
        allowed_hosts: Networks that may connect; None for any.
        largest_object: Bytes of a data set.
        refused: Called with why a connection was refused: "host", "tls" or "connections".
    """

    daemon_threads = True

    def __init__(
        self,
        ae: ApplicationEntity,
        address: tuple[str, int],
        ae_title: str,
        contexts: list[Any],
        ssl_context: None = None,
        evt_handlers: list[Any] | None = None,
        *,
        tls: ssl.SSLContext | None,
        allowed_hosts: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] | None,
        largest_object: int,
        refused: Callable[[str], None],
    ) -> None:
        self._tls, self._allowed, self.largest_object, self._refused = tls, allowed_hosts, largest_object, refused
        super().__init__(ae, address, ae_title, contexts, None, evt_handlers, request_handler=_BoundedHandler)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401  as the library has it
        """Whether a connection goes on. A stranger is told nothing: not a byte of its request is read."""
        if len(self.active_associations) >= _CONNECTIONS_PER_ASSOCIATION * self.ae.maximum_associations:
            self._refused("connections")
            return False
        if self._allowed is not None and not any(_address(client_address) in network for network in self._allowed):
            self._refused("host")
            return False
        return True

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  as the library has it
        """Shakes hands where TLS is asked for, in the connection's own thread, and begins the association."""
        request.settimeout(self.ae.acse_timeout)
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            try:
                request = self._tls.wrap_socket(request, server_side=True)
            except OSError:  # ssl.SSLError is one
                self._refused("tls")
                request.close()
                return
        request.settimeout(self.ae.network_timeout)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  as the library has it
        """Tells of a connection that failed, without its traceback."""
        _LOG.warning("connection failed")


def _address(client_address: tuple[Any, ...]) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(str(client_address[0]).partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
