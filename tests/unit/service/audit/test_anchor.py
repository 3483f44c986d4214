from __future__ import annotations

import json
import syslog

import pytest

from medcam.core.errors import InputError, InvalidValueError
from medcam.service.audit.anchor import AnchorError, make_anchor, read_anchors, write_anchor
from medcam.service.audit.anchoring import anchoring
from medcam.store import AuditDraft


def test_anchors_are_added_to_a_file_and_read_from_it(ten, tmp_path):
    file = tmp_path / "anchors.jsonl"
    first = make_anchor(ten.store)
    write_anchor(first, str(file))
    ten.trail.append(AuditDraft("login"))
    second = make_anchor(ten.store)
    write_anchor(second, str(file))

    assert read_anchors(file) == [first, second]
    assert (first.number, second.number) == (10, 11)


def test_anchors_are_found_among_the_lines_of_a_log(ten, tmp_path):
    anchor = make_anchor(ten.store)
    log = tmp_path / "auth.log"
    log.write_text(f"Nov 26 host medcam[1]: {anchor.line}\nanother line {{}}\n{{broken medcam_audit_anchor\n")

    assert read_anchors(log) == [anchor]


def test_the_systems_log_gets_the_line(ten, monkeypatch):
    lines = []
    monkeypatch.setattr(syslog, "syslog", lambda _priority, line: lines.append(line))
    anchor = make_anchor(ten.store)
    write_anchor(anchor, "syslog")

    assert [json.loads(line)["medcam_audit_anchor"] for line in lines] == [10]


def test_what_cannot_be_anchored_or_read_is_told(opened, ten, tmp_path):
    with pytest.raises(AnchorError):
        write_anchor(make_anchor(ten.store), str(tmp_path))
    (tmp_path / "empty").write_text("nothing\n")
    with pytest.raises(InputError) as caught:
        read_anchors(tmp_path / "empty")
    assert caught.value.code == "no-anchor"
    with pytest.raises(InputError):
        read_anchors(tmp_path / "missing")


def test_an_empty_trail_has_no_anchor(opened):
    with pytest.raises(AnchorError):
        make_anchor(opened.store)


def test_anchors_are_written_where_the_trail_has_grown(ten, tmp_path):
    file = tmp_path / "anchors.jsonl"
    named = str(ten.address.file.parent)
    with anchoring(named, str(file), minutes=60.0):
        assert [anchor.number for anchor in read_anchors(file)] == [10]
        ten.trail.append(AuditDraft("login"))
    assert [anchor.number for anchor in read_anchors(file)] == [10, 11]
    with anchoring(named, str(file), minutes=60.0):
        pass
    assert [anchor.number for anchor in read_anchors(file)] == [10, 11, 11]


def test_without_a_place_no_anchor_is_written_and_the_first_must_succeed(ten, tmp_path):
    with anchoring("no store", None, minutes=1.0):
        pass
    with pytest.raises(AnchorError), anchoring(str(ten.address.file.parent), str(tmp_path), minutes=1.0):
        pass
    with pytest.raises(InvalidValueError), anchoring(None, None, minutes=0.0):
        pass
