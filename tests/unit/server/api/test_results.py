"""What becomes of films that are handed in over HTTP."""

from __future__ import annotations

import io
import json

import pydicom
import pytest
from PIL import Image

from medcam.store import audit_events


@pytest.fixture
def done(api, work, film):
    """A client and the address of a submission that is explained, with its film."""
    client = api()
    taken = client.post("/v1/submissions?outputs=json,sc,sr,seg", files={"files": ("PATIENT^NAME.dcm", film)})
    assert (taken.status_code, taken.json()["state"]) == (202, "waiting"), taken.text
    assert work()
    place = taken.headers["location"]
    state = client.get(place).json()
    assert (state["state"], len(state["films"])) == ("done", 1), state
    return client, place, state["films"][0]["id"]


def test_an_explanation_adds_up(done):
    client, place, film = done

    explanation = client.get(f"{place}/films/{film}/explanation").json()

    found = explanation["findings"][0]
    values = found["map"]["values"]
    assert sum(values) / len(values) + found["bias"] == pytest.approx(found["logit"], abs=1e-3)


def test_another_attribution_method_may_be_asked_for(api, work, film):
    client = api()
    taken = client.post("/v1/submissions?method=grad-cam", files={"files": ("film.dcm", film)})
    assert taken.json()["method"] == "grad-cam"
    assert work()

    state = client.get(taken.headers["location"]).json()
    assert state["passed_over"] == []
    explanation = client.get(state["films"][0]["explanation"]).json()

    assert explanation["method"] == "grad-cam"
    assert explanation["findings"][0]["evidence"] is None


def test_a_picture_is_drawn_as_asked_for(done):
    client, place, film = done
    finding = client.get(f"{place}/films/{film}/explanation").json()["findings"][0]["name"]

    def drawn(**options):
        answer = client.get(f"{place}/films/{film}/overlay.png", params={"finding": finding, **options})
        assert answer.status_code == 200, answer.text
        return Image.open(io.BytesIO(answer.content)).convert("RGB")

    small, large = drawn(size=128), drawn(size=1500)
    assert large.height > small.height
    strong, none = drawn(size=256, opacity=1, threshold=0, signed=True), drawn(size=256, opacity=0, signed=True)
    assert strong.tobytes() != none.tobytes()


@pytest.mark.parametrize(
    "options",
    [
        {"size": 63}, {"size": 4096}, {"opacity": 1.1}, {"opacity": "nan"}, {"threshold": -1}, {"threshold": "inf"},
        {"finding": "unicorn"}, {"finding": ""}, {"finding": "../x"},
    ],
)  # fmt: skip
def test_a_picture_that_cannot_be_is_refused(done, options):
    client, place, film = done

    answer = client.get(f"{place}/films/{film}/overlay.png", params={"finding": "nodule", **options})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in ("invalid-request", "no-such-finding")


def test_objects_are_dicom_and_those_that_were_not_made_are_told(done):
    client, place, film = done

    for name in ("sc.dcm", "sr.dcm"):
        answer = client.get(f"{place}/films/{film}/objects/{name}")
        assert answer.headers["content-type"] == "application/dicom"
        assert pydicom.dcmread(io.BytesIO(answer.content)).SOPInstanceUID
    missing = client.get(f"{place}/films/{film}/objects/gsps.dcm")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-made")


def test_what_was_let_go_of_is_gone(done, opened):
    client, place, film = done

    assert client.delete(place).status_code == 204
    assert [client.get(path).status_code for path in (place, f"{place}/films/{film}/explanation")] == [404, 404]
    kinds = [event.kind for event in audit_events(opened.store)]
    assert kinds == ["submission-taken", "submission-discarded"]


def test_downloads_are_in_the_trail_and_the_file_name_is_nowhere(done, opened):
    client, place, film = done
    client.get(f"{place}/films/{film}/explanation")

    events = [*audit_events(opened.store)]

    assert events[-1].kind == "result-downloaded"
    assert json.loads(events[-1].body)["film"] == film
    assert "PATIENT" not in str(events)
    assert not [path for path in opened.address.films.rglob("*") if "PATIENT" in path.name]


@pytest.mark.parametrize(
    "wanted",
    ["0" * 16, "..", "%2e%2e", "..%2f..%2fmodel", "A" * 16, "*", "?", "[0-9a-f]", "0" * 65, "%00", "\u0665" * 16],
)
def test_paths_lead_nowhere_else(done, wanted):
    client, place, _ = done

    for path in (f"{place}/films/{wanted}/explanation", f"{place}/films/{wanted}/objects/sc.dcm"):
        assert client.get(path).status_code in (404, 422)


@pytest.mark.parametrize("name", ["../explanation.json", "manifest.json", "..%2fmodel.json", ".receipt.json"])
def test_only_dicom_objects_are_given(done, name):
    client, place, film = done

    assert client.get(f"{place}/films/{film}/objects/{name}").status_code in (404, 422)


def test_what_is_no_film_is_told_with_its_reason(api, work):
    client = api()
    place = client.post("/v1/submissions", files={"files": ("x.dcm", b"this is no DICOM")}).headers["location"]
    assert work()

    state = client.get(place).json()

    assert (state["state"], state["films"]) == ("done", [])
    assert state["passed_over"][0]["code"] == "not-dicom"
