"""Who may use the API, and what is told of it."""

from __future__ import annotations

import json
import logging

import pytest

from medcam.core.api_token import Scope
from medcam.server.api.bodies import EXPLANATION_EXAMPLE
from medcam.store import audit_events


@pytest.fixture
def secrets(opened):
    def made(name, *scopes):
        return {"Authorization": f"Bearer {opened.tokens.add(name, scopes)[0]}"}

    return {
        "a": made("a", Scope.SUBMIT, Scope.READ),
        "b": made("b", Scope.SUBMIT, Scope.READ),
        "reader": made("reader", Scope.READ),
        "metrics": made("metrics", Scope.METRICS),
    }


def hand_in(client, film, headers):
    return client.post("/v1/submissions", content=film, headers={"Content-Type": "application/dicom", **headers})


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}])
def test_nobody_enters_without_a_good_token(api, secrets, opened, film, given):
    client = api(needed=True)

    answer = hand_in(client, film, given)

    assert (answer.status_code, answer.json()["code"]) == (401, "token-needed")
    assert answer.headers["www-authenticate"] == "Bearer"
    last = list(audit_events(opened.store))[-1]
    assert (last.kind, json.loads(last.body)["code"]) == ("api-refused", "token-needed")
    assert client.get("/health").status_code == 200


def test_a_revoked_token_opens_nothing_from_the_next_request_on(api, secrets, opened):
    client = api(needed=True)
    assert client.get("/v1/submissions", headers=secrets["a"]).status_code == 200

    opened.tokens.revoke("a")

    assert client.get("/v1/submissions", headers=secrets["a"]).status_code == 401


def test_scopes_are_kept(api, secrets, film):
    client = api(needed=True)

    assert hand_in(client, film, secrets["reader"]).json()["code"] == "scope-missing"
    assert client.get("/metrics", headers=secrets["reader"]).status_code == 403
    assert client.get("/metrics", headers=secrets["metrics"]).status_code == 200
    assert client.get("/v1/submissions", headers=secrets["metrics"]).status_code == 403


def test_what_is_somebody_elses_looks_like_what_is_not_there(api, secrets, film, work):
    client = api(needed=True)
    place = hand_in(client, film, secrets["a"]).headers["location"]
    assert work()
    [one] = client.get(place, headers=secrets["a"]).json()["films"]
    absent = f"/v1/submissions/{'0' * 32}"

    for path in ("", "/events", f"/films/{one['id']}/explanation", f"/films/{one['id']}/overlay.png?finding=nodule"):
        theirs, nobodys = (client.get(base + path, headers=secrets["b"]) for base in (place, absent))
        assert (theirs.status_code, theirs.json()) == (404, nobodys.json())
    assert client.delete(place, headers=secrets["b"]).status_code == 404
    assert client.get(place, headers=secrets["a"]).status_code == 200
    assert client.get("/v1/submissions", headers=secrets["b"]).json() == []


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:8600"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
     {"Host": "["}],
)  # fmt: skip
def test_pages_of_other_sites_may_not_ask_without_tokens(api, headers):
    answer = api().get("/v1/submissions", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "not-local")


def test_logs_name_routes_and_no_more(api, film, caplog, monkeypatch):
    for name in ("medcam", "medcam.api"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
    client = api()

    with caplog.at_level(logging.INFO, "medcam.api"):
        place = hand_in(client, film, {}).headers["location"]
        client.get(place)
        client.get("/v1/submissions/DOE^JANE?patient=DOE")

    told = [vars(record) for record in caplog.records if record.name == "medcam.api"]
    assert [one["route"] for one in told] == ["/v1/submissions", *["/v1/submissions/{submission_id}"] * 2]
    assert "DOE" not in json.dumps(told, default=str)


def test_figures_count_requests(api, film):
    client = api()
    hand_in(client, film, {})
    client.get("/nowhere/DOE")

    text = client.get("/metrics").text

    assert 'medcam_api_requests_total{method="POST",route="/v1/submissions",status="202"} 1.0' in text
    assert 'medcam_jobs{kind="explain",state="waiting"} 1.0' in text
    assert "DOE" not in text


def test_models_are_listed_with_their_cards(api):
    client = api()

    assert "phantom" in [one["name"] for one in client.get("/v1/models").json()]
    assert client.get("/v1/models/phantom").json()["name"] == "phantom"
    assert client.get("/v1/models/..%2fphantom").status_code == 404
    assert client.get("/v1/models/nothing").json()["code"] == "no-such-model"


def test_the_page_of_the_api_fetches_nothing_from_elsewhere(api):
    client = api()

    page = client.get("/docs")

    assert "//cdn" not in page.text
    assert "https://" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/docs/{name}" in page.text
        assert len(client.get(f"/docs/{name}").content) > 100
    assert client.get("/docs/..%2fapp.py").status_code == 404


def test_what_the_description_says_comes_with_an_example(api):
    described = api().get("/openapi.json").json()
    schemas = described["components"]["schemas"]

    def shown(media):
        schema = media.get("schema", {})
        named = schemas.get((schema.get("$ref") or schema.get("items", {}).get("$ref", "")).rpartition("/")[2], {})
        fields = named.get("properties", {}).values()
        return "example" in media or "example" in named or (fields and all("examples" in one for one in fields))

    lacking = []
    for path, operations in described["paths"].items():
        for operation in operations.values():
            lacking += [
                (path, one["name"])
                for one in operation.get("parameters", ())
                if not {"example", "examples"} & ({*one} | {*one["schema"]}) and "default" not in one["schema"]
            ]
            contents = [answer.get("content", {}) for answer in operation["responses"].values()]
            contents.append(operation.get("requestBody", {}).get("content", {}))
            lacking += [
                (path, kind)
                for content in contents
                for kind, media in content.items()
                if kind in ("application/json", "application/problem+json", "text/plain", "text/event-stream")
                and not shown(media)
            ]
    assert lacking == [("/v1/models/{name}", "application/json")]  # a card as `medcam models show --json` prints it


def test_the_explanation_that_is_shown_adds_up():
    [finding] = EXPLANATION_EXAMPLE["findings"]
    values = finding["map"]["values"]
    assert sum(values) / len(values) + finding["bias"] == finding["logit"]
    assert finding["probability"] == 0.5


def test_problems_of_the_framework_are_told_alike(api):
    client = api()

    for answer, code in (
        (client.get("/nothing"), "no-such-route"),
        (client.put("/v1/submissions"), "method-not-allowed"),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
