"""What a node keeps and lets go of: retention, a crowded folder, a lost database, and when it is not ready."""

from __future__ import annotations

import time
from dataclasses import replace

from node_objects import an_object
from node_work import figures

from medcam.dicom.network.delivery import DeliveryOutcome
from medcam.store import JobState


def test_a_lost_database_loses_no_study(make_core, options, films, pacs, work):
    core = make_core(**options)
    core.take(films[0])
    core.folder.database.unlink()
    again = make_core(**options)
    again.resume()
    again.resume()
    work(again)
    assert len(pacs.got) > 0
    assert again.queue.counts()["annotate", JobState.DONE] == 1


def test_retention_lets_go_of_what_is_old_and_sent_alone(make_core, options, films, pacs, work):
    core = make_core(**options, keep_days=1.0)
    core.take(films[0])
    work(core)
    pacs.outcome, pacs.code = DeliveryOutcome.FAILED, "peer-unreachable"
    core.take(films[1])
    work(core)
    core.take(an_object("2.25.3", "2.25.33"))  # waits

    assert core.retention() == 0
    later = replace(core.retention, clock=lambda: time.time() + 2 * 86400)
    sent = {name.split("/")[0] for name in pacs.got}
    assert later() == 1
    left = set(core.inbox.studies())
    assert len(left) == 2
    assert not sent & left
    assert {path.name for path in core.folder.results.iterdir()} <= left
    assert figures(core)["medcam_purged_studies_total"] == 1

    before = {name: list(contents) for name, contents in pacs.got.items()}
    core.take(films[0])  # comes again after it was let go of: made anew, not sent again under the same UIDs
    work(core)
    assert len(list(core.folder.results.glob(f"{next(iter(sent))}/*/explanation.json"))) == 1
    assert pacs.got == before


def test_a_crowded_node_lets_go_of_the_oldest_finished_study(make_core, options, films, pacs, work):
    core = make_core(**options, keep_days=None)
    for film in films:
        core.take(film)
    work(core)
    assert core.retention() == 0
    core.room.quota = int(core.room.measure() / 0.95)
    assert core.retention() >= 1
    assert core.room.used < 0.9 * core.room.quota or core.inbox.studies() == []


def test_a_node_says_why_it_is_not_ready(make_core, options):
    core = make_core(**options)
    assert core.ready() == []
    core.room.quota = 1
    assert core.ready() == ["no room for received objects"]
