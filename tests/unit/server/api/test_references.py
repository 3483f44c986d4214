"""Films that are named instead of sent: fetched from services that the server was told of, and nowhere else."""

from __future__ import annotations

import io

import pydicom
import pytest
from dicomweb_server import PATH, serving_films

from medcam.service.submissions.submission import SubmissionFolder

HANDED_IN = {"Content-Type": "application/dicom"}


def another(film: bytes) -> bytes:
    """The same film under another UID of the same study."""
    data = pydicom.dcmread(io.BytesIO(film))
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{data.SOPInstanceUID[:60]}.7"
    made = io.BytesIO()
    data.save_as(made)
    return made.getvalue()


def refer(client, server, source="") -> str:
    taken = client.post("/v1/submissions", json={"source": source or f"{server.service}/studies/{server.study}"})
    assert taken.status_code == 202, taken.text
    return taken.headers["location"]


def explained(client, place) -> dict:
    state = client.get(place).json()
    assert state["state"] == "done", state
    [one] = state["films"]
    found = client.get(one["explanation"]).json()
    return {name: value for name, value in found.items() if name != "created"}


def test_a_film_that_is_named_is_explained_like_one_that_is_sent(api, work, film):
    with serving_films(film, elsewhere="http://169.254.169.254/latest") as server:
        client = api(services=(server.service,))
        named, sent = refer(client, server), client.post("/v1/submissions", content=film, headers=HANDED_IN)
        assert work()
        assert work()

        assert explained(client, named) == explained(client, sent.headers["location"])
        assert client.get(named).json()["total"] == 1


def test_an_instance_may_be_named_alone(api, work, film):
    with serving_films(film, another(film)) as server:
        client = api(services=(server.service,))
        uid = list(server.films)[1]
        place = refer(client, server, f"{server.service}/studies/{server.study}/series/{server.series}/instances/{uid}")
        assert work()

        assert explained(client, place)["source"]["sop_instance_uid"] == uid


@pytest.mark.parametrize("where", ["host", "http://169.254.169.254/latest", "file:///etc/passwd", "//127.0.0.1:1/x"])
@pytest.mark.parametrize("what", ["search", "film"])
def test_a_service_that_redirects_elsewhere_is_not_followed(api, work, film, where, what):
    with serving_films(film) as server, serving_films(film) as other:
        client = api(services=(server.service,))
        series = f"{PATH}/studies/{server.study}/series"
        path = series if what == "search" else f"{series}/{server.series}/instances/{next(iter(server.films))}"
        target = f"http://127.0.0.1:{other.server_port}{path}" if where == "host" else where
        server.redirects[path] = target
        place = refer(client, server)
        assert work()

        state = client.get(place).json()
        assert state["films"] == []
        told = state["error"] if what == "search" else state["passed_over"][0]
        assert told["code"] == "web-redirected"
        assert target not in str(state)
        assert other.asked == []


def test_a_study_with_more_films_than_may_be_handed_in_is_refused(api, work, film):
    with serving_films(film, another(film)) as server:
        client = api(services=(server.service,), limits={"files": 1})
        place = refer(client, server)
        assert work()

        state = client.get(place).json()

    assert (state["state"], state["films"], state["error"]["code"]) == ("failed", [], "submission-too-large")
    assert not [path for path in server.asked if path.rpartition("/")[2] in server.films]


def test_films_beyond_the_bytes_that_may_be_handed_in_are_passed_over(api, work, film):
    with serving_films(film, another(film)) as server:
        client = api(services=(server.service,), limits={"bytes": int(1.5 * len(film))})
        place = refer(client, server)
        assert work()

        state = client.get(place).json()

    assert (state["state"], len(state["films"])) == ("done", 1)
    assert [one["code"] for one in state["passed_over"]] == ["submission-too-large"]


@pytest.mark.parametrize("more", ["", "/", "/studies", "?StudyDate=20260101", "/studies/1.2?PatientID=DOE"])
def test_a_whole_archive_is_no_reference(api, opened, more):
    client = api(services=("dicomweb://pacs.example/dicom",))

    answer = client.post("/v1/submissions", json={"source": f"dicomweb://pacs.example/dicom{more}"})

    assert (answer.status_code, answer.json()["code"]) == (422, "not-a-study"), answer.text
    assert "DOE" not in answer.text
    assert not opened.jobs.counts()


def test_what_is_fetched_lies_with_its_submission_and_goes_with_it(api, work, film, opened):
    with serving_films(film) as server:
        client = api(services=(server.service,))
        place = refer(client, server)
        assert work()
    folder = SubmissionFolder(opened.address.films / "submissions" / place.rpartition("/")[2])
    [one] = client.get(place).json()["films"]
    picture = client.get(f"{place}/films/{one['id']}/overlay.png?finding=nodule&size=128")
    assert picture.status_code == 200

    assert client.delete(place).status_code == 204

    assert not folder.path.exists()
