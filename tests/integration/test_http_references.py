"""Films that are named over HTTP and fetched from a real PACS over DICOMweb."""

from __future__ import annotations

from pathlib import Path

import pydicom
import requests
from dicomweb_server import PATH, serving_films

from .servers.api import api, ended, hand_in, state, until
from .servers.orthanc import Orthanc

FILMS = sorted((Path(__file__).resolve().parents[2] / "sample_data").glob("*.dcm"))[:2]
OBJECTS = ("sc.dcm", "sr.dcm")


def refer(address: str, source: str) -> str:
    """Names a study; the address of the submission."""
    taken = requests.post(f"{address}/v1/submissions?outputs=json,sc,sr", json={"source": source}, timeout=30)
    assert taken.status_code == 202, taken.text
    return address + taken.headers["Location"]


def results(address: str, place: str) -> dict:
    """Explanation of the one film, without the time of day, and what its objects show."""
    told = state(place)
    assert told["state"] == "done", told
    [film] = told["films"]
    explanation = requests.get(address + film["explanation"], timeout=30).json()
    del explanation["created"]
    base = f"{place}/films/{film['id']}"
    found = {"explanation": explanation}
    for name in OBJECTS:
        answer = requests.get(f"{base}/objects/{name}", timeout=30)
        assert answer.status_code == 200, answer.text
        found[name] = answer.content[128:132]
    finding = explanation["findings"][0]["name"]
    found["picture"] = requests.get(f"{base}/overlay.png", params={"finding": finding, "size": 256}, timeout=30).content
    return found


def test_a_study_in_a_pacs_is_explained_like_the_file_itself_and_redirects_lead_nowhere(orthanc: Orthanc, tmp_path):
    for film in FILMS:
        orthanc.upload(film)
    study = pydicom.dcmread(FILMS[0], stop_before_pixels=True).StudyInstanceUID
    with serving_films() as leading, serving_films() as away:
        environment = {"MEDCAM_DICOMWEB_AUTHORIZATION": orthanc.authorization}
        options = ("--service", orthanc.web, "--service", leading.service)
        leading.redirects[f"{PATH}/studies/1.2/series"] = (
            f"http://127.0.0.1:{away.server_port}{PATH}/studies/1.2/series"
        )
        with api(tmp_path, 1, *options, environment=environment) as (address, _):
            named, sent = (
                refer(address, f"{orthanc.web}/studies/{study}"),
                hand_in(address, FILMS[:1], "?outputs=json,sc,sr"),
            )
            led = refer(address, f"{leading.service}/studies/1.2")
            until(lambda: all(map(ended, (named, sent, led))), "not all came to an end")

            assert results(address, named) == results(address, sent)
            assert (state(led)["state"], state(led)["error"]["code"]) == ("failed", "web-redirected")
            assert away.asked == []
            for elsewhere in (away.service, orthanc.web.replace("127.0.0.1", "localhost"), orthanc.web + "/x"):
                refused = requests.post(
                    f"{address}/v1/submissions", json={"source": f"{elsewhere}/studies/{study}"}, timeout=30
                )
                assert refused.json()["code"] == "service-not-allowed"
    assert orthanc.authorization not in (tmp_path / "log").read_text()
    assert study not in (tmp_path / "log").read_text()
