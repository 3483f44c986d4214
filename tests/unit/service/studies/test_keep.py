"""What `annotate --store` leaves: explanations whole, pixels exact, sources that can be read again."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest

from medcam.core.reader import Reader, Role
from medcam.core.worklist import WorklistQuery
from medcam.core.zones import ZONES
from medcam.dicom import load_radiograph
from medcam.overlay.film16 import PackedFilm, unpack_film
from medcam.service.explanations.explanation_json import read_explanation
from medcam.service.studies.opened import opened_store
from medcam.service.studies.zone_image import unpack_zones
from medcam.store import StoreError, audit_events

ANYBODY = Reader(0, "local", "x", "X", frozenset({Role.READER}), everything=True)


def kept_films(opened):
    page = opened.worklist.page(WorklistQuery(), ANYBODY, now=0.0)
    return [film for line in page.lines for film in opened.films.films(line.study.id)]


def test_every_film_is_kept_once_with_its_event(filled):
    assert filled.films.counts() == {"studies": 3, "radiographs": 3, "explanations": 3}
    assert [event.kind for event in audit_events(filled.store)] == ["explanation-kept"] * 3


def test_pixels_come_back_exactly_with_all_that_shows_them(filled):
    for film in kept_films(filled):
        original = load_radiograph(filled.files.source_path(film.sha256, film.source))
        shown = film.display
        scale = {name: shown[name] for name in ("rows", "columns", "slope", "intercept")}
        pixels = unpack_film(PackedFilm(filled.files.pixels(film.sha256), **scale, exact=True))

        assert shown["error"] == 0.0
        assert np.array_equal(pixels, original.pixels)
        assert (shown["window"]["center"], shown["window"]["width"]) == (original.window.center, original.window.width)
        assert shown["spacing"]["row"] == original.spacing.row
        assert shown["orientation"] == list(original.patient_orientation)
        assert film.view == original.view.value


def test_the_explanation_in_the_store_is_the_one_on_disk(filled, tmp_path, run, phantom_dicom):
    out = tmp_path / "out"
    run(phantom_dicom, out, str(tmp_path / "store"))
    with opened_store(tmp_path / "store") as opened:
        for film in kept_films(opened):
            [kept] = opened.films.explanations(film.id)
            on_disk = json.loads((out / film.study_id / film.id / "explanation.json").read_text())
            assert json.loads(kept.content) == on_disk
            assert kept.model == "tiny"
            whole = read_explanation(out / film.study_id / film.id / "explanation.json")
            assert {finding.name: finding.present for finding in whole.findings} == {
                finding.name: finding.present for finding in kept.findings
            }


def test_zones_come_back_as_they_were(filled):
    for film in kept_films(filled):
        zones = unpack_zones(film.zones)
        assert set(zones.masks) == set(ZONES)
        assert 0.0 <= zones.quality <= 1.0


def test_attributes_of_the_source_are_kept_for_the_page(filled):
    for film in kept_films(filled):
        assert film.attributes["PatientName"] == "PHANTOM^NEVERSHOWN"
        assert film.attributes["film"]["modality"] == "DX"


def test_a_second_run_keeps_nothing_twice_and_goes_on(run, phantom_dicom, tmp_path):
    store = str(tmp_path / "store")
    run(phantom_dicom, tmp_path / "out", store)
    again = run(phantom_dicom, tmp_path / "out", store)
    elsewhere = run(phantom_dicom, tmp_path / "other", store)

    assert again.reused == 3
    assert elsewhere.reused == 0
    with opened_store(store) as opened:
        assert opened.films.counts()["explanations"] == 3


def test_films_that_were_finished_without_a_store_are_kept_when_one_is_named(run, phantom_dicom, tmp_path):
    run(phantom_dicom, tmp_path / "out", None)
    manifest = run(phantom_dicom, tmp_path / "out", str(tmp_path / "store"))

    assert manifest.reused == 0
    with opened_store(tmp_path / "store") as opened:
        assert opened.films.counts()["explanations"] == 3


def test_pixels_that_are_gone_are_written_anew(run, phantom_dicom, tmp_path):
    run(phantom_dicom, tmp_path / "out", str(tmp_path / "store"))
    with opened_store(tmp_path / "store") as opened:
        [first, *_] = opened.files.all()
        content = first.read_bytes()
        first.unlink()
        run(phantom_dicom, tmp_path / "out", str(tmp_path / "store"))
        assert first.read_bytes() == content


def test_a_film_from_an_archive_keeps_a_copy_of_its_file(run, phantom_dicom, tmp_path):
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        archive.write(phantom_dicom / "film-0.dcm", "a/film-0.dcm")
    run(tmp_path / "films.zip", tmp_path / "out", str(tmp_path / "store"))
    with opened_store(tmp_path / "store") as opened:
        [film] = kept_films(opened)
        assert film.source == "copy"
        copied = opened.files.source_path(film.sha256, film.source).read_bytes()
    assert copied == (phantom_dicom / "film-0.dcm").read_bytes()


def test_another_film_of_the_same_uid_is_quarantined_and_the_rest_is_done(run, phantom_dicom, tmp_path):
    run(phantom_dicom, tmp_path / "out", str(tmp_path / "store"))
    changed = tmp_path / "changed"
    shutil.copytree(phantom_dicom, changed)
    data = bytearray((changed / "film-1.dcm").read_bytes())
    data[-100] ^= 1
    (changed / "film-1.dcm").write_bytes(bytes(data))
    manifest = run(changed, tmp_path / "out2", str(tmp_path / "store"))

    assert (manifest.counts.annotated, manifest.counts.quarantined) == (2, 1)
    assert "duplicate-uid" in (tmp_path / "out2" / "quarantine.jsonl").read_text()


def test_a_store_that_fails_stops_the_run_and_finished_films_stay(run, phantom_dicom, tmp_path, monkeypatch):
    from medcam.service.studies.keep import Keeper

    calls = []
    keep = Keeper.keep

    def failing(self, *arguments):
        calls.append(1)
        if len(calls) == 2:
            raise StoreError("the database cannot be used")
        return keep(self, *arguments)

    monkeypatch.setattr(Keeper, "keep", failing)
    with pytest.raises(StoreError):
        run(phantom_dicom, tmp_path / "out", str(tmp_path / "store"))
    monkeypatch.undo()
    assert not (tmp_path / "out" / "manifest.json").exists()
    manifest = run(phantom_dicom, tmp_path / "out", str(tmp_path / "store"))
    assert manifest.counts.annotated == 3
    with opened_store(tmp_path / "store") as opened:
        assert opened.films.counts()["explanations"] == 3
