"""What may be fetched of a study beside its page: the pixels of its films, and the maps over them."""

from __future__ import annotations

import hashlib

import pytest

from access import FilmBytes, HeaderWay
from components.film_view import MAPS
from viewer.payload import ViewerContent, offer

from .conftest import DIGEST, PROXY

MAPS_OF = {"study-a": b'{"findings": ["a"]}', "study-b": b'{"findings": ["b"]}'}


def test_ones_own_film_arrives_as_it_lies_in_the_store(behind_proxy):
    client = behind_proxy.by_proxy("ada")
    client.load()

    answer = client.ask(f"/films/study-a/{DIGEST}", Accept_Encoding="gzip, br")

    assert (answer.status, answer.body) == (200, b"\x1f\x8bfilm")
    assert answer.header("content-encoding") == "gzip"
    assert answer.header("etag") == f'"{DIGEST}"'
    assert answer.header("cache-control").startswith("private, max-age=")
    assert "Cookie" in answer.header("vary")


def test_a_browser_that_has_it_already_is_told_so(behind_proxy):
    client = behind_proxy.by_proxy("ada")
    client.load()

    answer = client.ask(f"/films/study-a/{DIGEST}", If_None_Match=f'"x", "{DIGEST}"')

    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [f"study-b/{DIGEST}", f"study-z/{DIGEST}", f"study-a/{'cd' * 32}", "study-a/x", f"study-a/{DIGEST.upper()}"],
)
def test_anothers_study_and_none_get_the_same_answer(behind_proxy, path):
    client = behind_proxy.by_proxy("ada")
    client.load()

    answer = client.ask(f"/films/{path}", If_None_Match=f'"{DIGEST}"')

    assert answer.status == 404
    assert answer.body == client.ask(f"/films/study-y/{DIGEST}").body
    assert behind_proxy.trail.refusals[0] == ("ada", f"/films/{path}", "not-found")
    assert not {study for study, _ in behind_proxy.loaded} - {"study-a"}


def test_nothing_is_read_for_a_study_that_is_not_ones_own(behind_proxy):
    client = behind_proxy.by_proxy("bob")
    client.load()

    client.ask(f"/films/study-a/{DIGEST}")

    assert behind_proxy.loaded == []


def test_an_assignment_that_ends_ends_at_once(behind_proxy):
    client = behind_proxy.by_proxy("ada")
    client.load()
    assert client.ask(f"/films/study-a/{DIGEST}", Accept_Encoding="gzip").status == 200

    behind_proxy.store.assigned["r1"].clear()

    assert client.ask(f"/films/study-a/{DIGEST}", Accept_Encoding="gzip").status == 404


def test_administering_is_not_reading(behind_proxy):
    client = behind_proxy.by_proxy("roy")
    client.load()

    assert client.ask(f"/films/study-a/{DIGEST}").code == "no-role"


def test_a_client_without_gzip_gets_no_bytes_it_cannot_read(behind_proxy):
    client = behind_proxy.by_proxy("ada")
    client.load()

    assert client.ask(f"/films/study-a/{DIGEST}").status == 406


def test_bytes_that_are_not_compressed_say_so(build):
    films = {("study-a", DIGEST): FilmBytes(b"plain", None, "application/json")}
    house = build(HeaderWay((PROXY,)), films=films)
    client = house.client(PROXY, X_Forwarded_User="ada")
    client.load()

    answer = client.ask(f"/films/study-a/{DIGEST}")

    assert (answer.body, answer.header("content-encoding")) == (b"plain", None)


@pytest.fixture
def maps():
    """Addresses of what was drawn for two studies; forgotten when nobody holds what lies there."""
    contents = {study: ViewerContent(data, hashlib.sha256(data).hexdigest()) for study, data in MAPS_OF.items()}
    offers = {study: offer(content, f"{MAPS}/{study}") for study, content in contents.items()}
    yield {study: one.address for study, one in offers.items()}
    del offers


def test_maps_are_given_to_who_may_open_their_study_alone(behind_proxy, maps):
    client = behind_proxy.by_proxy("ada")
    client.load()

    answer = client.ask(maps["study-a"])
    assert (answer.status, answer.body) == (200, MAPS_OF["study-a"])
    assert answer.header("content-type") == "application/json"
    assert client.ask(maps["study-b"]).status == 404
    assert client.ask(maps["study-b"].replace("study-b", "study-a")).status == 404
    assert behind_proxy.trail.refusals[0] == ("ada", maps["study-b"], "not-found")

    assert behind_proxy.client("203.0.113.9").ask(maps["study-a"]).status == 401
    behind_proxy.store.assigned["r1"].clear()
    assert client.ask(maps["study-a"]).status == 404
