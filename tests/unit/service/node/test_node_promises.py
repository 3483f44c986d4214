"""Storage commitment: what a node promises, and whom it tells until they answer."""

from __future__ import annotations

from node_objects import CR, an_object
from node_work import AT_ONCE

from medcam.dicom.network.commitment import CommitmentError, CommitmentRequest, Fault, Reference
from medcam.dicom.network.destination import parse_destination
from medcam.service.node import committing
from medcam.service.node import core as core_module


def test_commitment_promises_what_is_whole(make_core, options):
    core = make_core(**options)
    for n in range(3):
        core.take(an_object(f"2.25.{n}", content=b"x"))
    damaged = core.inbox.keep(an_object("2.25.1", content=b"x"), lambda _: None).path
    damaged.write_bytes(damaged.read_bytes() + b"!")
    named = [(CR, "2.25.0"), (CR, "2.25.1"), ("1.2.3", "2.25.2"), (CR, "2.25.9")]
    asked = tuple(Reference(*pair) for pair in named)
    report = core.commit(CommitmentRequest("2.25.5", asked, "MODALITY"))

    assert report.kept == asked[:1]
    assert [fault for _, fault in report.failed] == [
        Fault.PROCESSING_FAILURE,
        Fault.CLASS_CONFLICT,
        Fault.NO_SUCH_OBJECT,
    ]


def test_a_known_peer_is_reported_to_until_it_answers(make_core, options, work, monkeypatch):
    told, peer = [], parse_destination("MODALITY@127.0.0.1:105")

    def report(where, aet, answer):
        told.append((where, aet, answer))
        if len(told) == 1:
            raise CommitmentError("nobody answers")

    reporter = committing.CommitmentReporter
    monkeypatch.setattr(core_module, "CommitmentReporter", lambda *args: reporter(*args, report=report))
    monkeypatch.setattr(core_module, "_REPORTING", AT_ONCE)
    core = make_core(**options, peers={"MODALITY": peer})
    core.take(an_object("2.25.1"))
    request = CommitmentRequest("2.25.5", (Reference(CR, "2.25.1"),), "MODALITY")
    assert core.commit_later(request)
    assert not core.commit_later(CommitmentRequest("2.25.6", request.references, "STRANGER"))
    work(core)
    assert [(where, aet, answer.kept) for where, aet, answer in told] == [(peer, "NODE", request.references)] * 2
