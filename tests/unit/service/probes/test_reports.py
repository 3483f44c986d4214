"""Reports decide which films are positive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medcam.core.errors import MedcamError
from medcam.service.probes.negation import Phrase, Said
from medcam.service.probes.reports import read_reports, sort_by_phrase

ROWS = [
    {"image": "a.dcm", "report": "Blunting of the left costophrenic angle.", "patient_id": 7},
    {"image": "b.dcm", "report": "The costophrenic angles are not blunted."},
    {"image": "c.dcm", "report": "Possible blunting of the costophrenic angle."},
    {"image": "d.dcm", "report": "Normal film."},
]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_films_go_by_what_their_reports_say(tmp_path: Path) -> None:
    path = write(tmp_path / "reports.jsonl", "\n\n".join(json.dumps(row) for row in ROWS))
    found = sort_by_phrase(read_reports(path), Phrase("blunted costophrenic angle"))
    assert [film.name for film in found.positives] == ["a.dcm"]
    assert [film.name for film in found.negatives] == ["b.dcm", "d.dcm"]
    assert found.counts == {Said.AFFIRMED: 1, Said.NEGATED: 1, Said.DOUBTED: 1, Said.NOTHING: 1}
    assert found.positives[0].patient == "7"
    assert found.positives[0].path == tmp_path / "a.dcm"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "no json",
        "[]",
        '{"image": "a.dcm"}',
        '{"image": "", "report": "x"}',
        '{"image": 3, "report": "x"}',
        "3",
    ],
)
def test_lines_that_are_no_reports_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MedcamError) as error:
        read_reports(write(tmp_path / "reports.jsonl", text))
    assert error.value.code == "reports"


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MedcamError) as error:
        read_reports(tmp_path / "nothing")
    assert error.value.code == "no-such-source"
    (tmp_path / "latin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MedcamError) as error:
        read_reports(tmp_path / "latin")
    assert error.value.code == "reports"
