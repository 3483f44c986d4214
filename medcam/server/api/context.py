"""What all routes of the API share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from medcam.core.api_token import Scope
from medcam.core.errors import MedcamError
from medcam.server.api.looks import Looks
from medcam.server.api.metrics import ApiMetrics
from medcam.server.api.rates import Rates, Streams
from medcam.server.api.settings import ApiSettings
from medcam.service.annotate.readers import Readers
from medcam.service.audit.events import note
from medcam.service.studies.opened import OpenedStore
from medcam.service.submissions.box import SubmissionBox

_LOG = logging.getLogger("medcam.api")
_REFUSALS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks.

    Args:
        label: As owners of submissions and the audit trail name it.
        scopes: What it may do.
    """

    label: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, eq=False)
class ApiContext:
    """What all routes share.

    Args:
        settings: How the API is run.
        opened: The store.
        box: Its submissions.
        readers: Decodes films for pictures.
        tokens: Whether requests need a token.
        unready: Why work does not get done now; empty while it does.
    """

    settings: ApiSettings
    opened: OpenedStore
    box: SubmissionBox
    readers: Readers
    tokens: bool
    unready: Callable[[], list[str]] = list
    metrics: ApiMetrics = field(init=False)
    submitting: Rates = field(init=False)
    asking: Rates = field(init=False)
    streams: Streams = field(init=False)
    looks: Looks = field(init=False, repr=False)
    _refusals: Rates = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, value in (
            ("metrics", ApiMetrics(self.opened.jobs)),
            ("submitting", Rates(self.settings.per_minute)),
            ("asking", Rates(self.settings.requests_per_minute)),
            ("streams", Streams(self.settings.streams)),
            ("looks", Looks(lambda submissions: self.box.progress(submissions))),
            ("_refusals", Rates(_REFUSALS_PER_MINUTE)),
        ):
            object.__setattr__(self, name, value)

    def note(self, kind: str, client: str, body: Mapping[str, Any]) -> None:
        """Notes an event in the audit trail.

        Raises:
            StoreError: The database cannot be used: what cannot be noted is not done.
        """
        note(self.opened, kind, client, body)

    def note_refusal(self, client: str, code: str, route: str) -> None:
        """Notes a refusal; of a flood of them the first ones alone, so that nobody can fill the trail."""
        try:
            self._refusals.take("all")
            self.note("api-refused", client, {"code": code, "route": route})
        except MedcamError as error:
            _LOG.warning("refusal not noted", extra={"code": error.code})


def context_of(request: Request) -> ApiContext:
    """The context of the app that serves a request."""
    found: ApiContext = request.app.state.context
    return found
