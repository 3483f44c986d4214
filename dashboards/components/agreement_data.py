"""Reports on agreement, kept while the store stays as it is: a page draws them many times."""

from __future__ import annotations

import streamlit as st

from medcam.core.reader import Reader
from medcam.service.agreement.report import (
    AgreementQuery,
    AgreementReport,
    FindingDetails,
    agreement_report,
    agreement_state,
    finding_details,
)
from medcam.service.studies.opened import OpenedStore

_SECONDS = 600
_Key = tuple[object, ...]


def report_of(opened: OpenedStore, viewer: Reader, query: AgreementQuery) -> AgreementReport:
    """The report as this reader may see it."""
    return _report(opened, viewer, query, _key(opened, viewer, query))


def details_of(opened: OpenedStore, viewer: Reader, query: AgreementQuery, finding: str) -> FindingDetails:
    """One finding of that report."""
    key = _key(opened, viewer, query)
    return _details(opened, _report(opened, viewer, query, key), (*key, finding), finding)


def _key(opened: OpenedStore, viewer: Reader, query: AgreementQuery) -> _Key:
    """All that a report depends on, who looks first of all: none is ever shown to somebody else."""
    roles = " ".join(sorted(viewer.roles))
    asked = (query.card_sha256, str(query.phase), query.since)
    return (opened.address.label, viewer.id, viewer.label, roles, *agreement_state(opened), *asked)


@st.cache_resource(max_entries=16, ttl=_SECONDS, show_spinner=False)
def _report(_opened: OpenedStore, _viewer: Reader, _query: AgreementQuery, key: _Key) -> AgreementReport:
    return agreement_report(_opened, _viewer, _query)


@st.cache_resource(max_entries=64, ttl=_SECONDS, show_spinner=False)
def _details(_opened: OpenedStore, _report: AgreementReport, key: _Key, finding: str) -> FindingDetails:
    return finding_details(_opened, _report, finding)
