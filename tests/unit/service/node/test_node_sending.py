"""What a node sends: to a destination that stays away or refuses, and never results that have changed."""

from __future__ import annotations

import json

from node_work import PACS, figures

from medcam.dicom.network.delivery import DeliveryOutcome


def test_a_destination_that_stays_away_makes_a_dead_letter_and_gets_it_later(make_core, options, films, pacs, work):
    core = make_core(**options)
    pacs.outcome, pacs.code = DeliveryOutcome.FAILED, "peer-unreachable"
    core.take(films[0])
    work(core)

    (letter,) = core.folder.dead_letters.iterdir()
    reason = json.loads((letter / "reason.json").read_text())
    assert (reason["code"], reason["destination"], reason["failures"]) == ("peer-unreachable", PACS, 2)
    kept = {path.name: path.read_bytes() for path in letter.glob("*.dcm")}
    made = {path.name: path.read_bytes() for path in core.folder.results.rglob("*.dcm")}
    assert kept == made != {}
    counted = figures(core)
    assert counted['medcam_failed_total{kind="send"}'] == counted['medcam_dead_total{kind="send"}'] == 1
    assert counted['medcam_jobs{kind="send",state="failed"}'] == 1

    pacs.outcome, pacs.code = DeliveryOutcome.ACCEPTED, ""
    work(core)
    assert pacs.got == {}
    assert core.revive() == 1
    assert list(core.folder.dead_letters.iterdir()) == []
    work(core)
    assert {name.rpartition("/")[2]: contents for name, contents in pacs.got.items()} == {
        name: [content] for name, content in made.items()
    }


def test_what_a_destination_refuses_is_not_tried_again(make_core, options, films, pacs, work):
    core = make_core(**options)
    pacs.outcome, pacs.code = DeliveryOutcome.REFUSED, "not-stored"
    core.take(films[0])
    work(core)
    counted = figures(core)
    assert counted['medcam_dead_total{kind="send"}'] == 1
    assert 'medcam_failed_total{kind="send"}' not in counted


def test_results_that_have_changed_are_not_sent(make_core, options, films, pacs, work, monkeypatch):
    core = make_core(**options)
    pacs.outcome, pacs.code = DeliveryOutcome.FAILED, "peer-unreachable"
    core.take(films[0])
    work(core)
    for path in core.folder.results.rglob("sc.dcm"):
        path.write_bytes(path.read_bytes() + b"\0")
    pacs.outcome = DeliveryOutcome.ACCEPTED
    core.revive()
    work(core)
    assert pacs.got == {}
    assert [job.error_code for job in core.queue.failed("send")] == ["results-changed"]
