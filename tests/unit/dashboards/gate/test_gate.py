"""What is refused: everything without an identity, tricks with paths, other web pages, people who are not admitted."""

from __future__ import annotations

import pytest

from .client import HOST, rerun
from .conftest import DIGEST

EVERYTHING = [
    "/",
    "/review",
    "/static/js/main.js",
    "/media/0123abcd.png",
    "/component/medcam.viewer/index.html",
    "/_stcore/host-config",
    "/_stcore/bidi-components/medcam.viewer/index.js",
    "/_stcore/upload_file/page-of-r1/1",
    "/_stcore/health/",
    "/_stcore/HEALTH",
    "/healthz",
    f"/films/study-a/{DIGEST}",
    f"/maps/study-a/{DIGEST}",
    "/session",
    "/favicon.png",
]


@pytest.mark.parametrize("path", EVERYTHING)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_opens_without_an_identity(behind_proxy, path, method):
    answer = behind_proxy.client("203.0.113.9").ask(path, method)

    assert answer.status in (401, 404)
    assert behind_proxy.trail.refusals[-1][:2] == (None, path)
    assert behind_proxy.loaded == []
    assert b"anyone" not in answer.body
    assert answer.header("cache-control") == "private, no-store"


def test_the_health_check_is_open_to_all_and_under_any_name(local):
    answer = local.client("203.0.113.9").ask("/_stcore/health", Host="10.1.1.1:8501")

    assert answer.status == 200
    assert local.trail.refusals == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_health_check_is_asked_not_told(behind_proxy, method):
    assert behind_proxy.client("203.0.113.9").ask("/_stcore/health", method).status == 401


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/auth/other", "/oauth2callback"])
def test_doors_of_openid_connect_are_closed_where_it_is_not_used(local, path):
    client = local.client()
    client.load()

    assert client.ask(path).status == 404
    assert local.trail.last == "closed"


@pytest.mark.parametrize("path", ["/_stcore/agent/interact", "/_stcore/agent/mcp", "/_stcore/metrics"])
def test_doors_that_run_pages_for_nobody_are_closed_to_all(local, path):
    client = local.client()
    client.load()

    assert client.ask(path).status == 404
    assert client.ask("/_stcore/script-health-check").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/static/../films/study-b/x",
        "/static/..",
        "/./",
        "//_stcore/health",
        "/_stcore//health",
        "/films//study-a",
        "/films/study-a%2f..%2fstudy-b/x",
        "/films/%2e%2e/x",
        "/films/%2E./x",
        "/static/%5c..%5cx",
        "/static/..\\x",
        "/_stcore/health%00",
        "/_stcore/health%0a",
        "/films/%252e%252e/x",
        "/films/%ff/x",
        "/_stcore/health/..",
        "/x/../_stcore/health",
    ],
)
def test_tricks_with_paths_are_refused_whoever_asks(local, path):
    client = local.client()
    client.load()

    assert client.ask(path).status == 400
    assert local.client("203.0.113.9").ask(path).status == 400
    assert {why for _, _, why in local.trail.refusals} == {"bad-path"}


def test_a_path_that_was_rewritten_on_its_way_is_refused(local):
    client = local.client()
    scope = client.scope("http", "/_stcore/health", {})
    scope["path"] = "/films/study-a/x"

    class Rewriting:
        async def __call__(self, _scope, receive, send):
            await local.app({**scope, "method": "GET"}, receive, send)

    client.app = Rewriting()
    assert client.ask("/").code == "bad-path"


def test_names_of_pages_may_be_in_any_script(local):
    client = local.client()
    client.load()

    assert client.load("/%ED%8C%90%EB%8F%85").status == 200


def test_people_see_a_page_and_programs_json(behind_proxy):
    stranger = behind_proxy.client("203.0.113.9")

    page, data = stranger.load("/review?study=1"), stranger.ask("/review")

    assert page.header("content-type") == "text/html; charset=utf-8"
    assert b'href="/sign-in?next=%2Freview%3Fstudy%3D1"' in page.body
    assert b"not a medical device" in page.body.lower()
    assert data.code == "untrusted-peer"


def test_what_was_asked_for_cannot_write_into_the_page(behind_proxy):
    page = behind_proxy.client("203.0.113.9").load('/x?"><script>alert(1)</script>')

    assert b"<script" not in page.body


def test_who_is_not_admitted_is_told_so_and_leaves_no_session(behind_proxy):
    client = behind_proxy.by_proxy("eve")

    answer = client.load()

    assert answer.status == 403
    assert b"Sign out" in answer.body
    assert client.cookies == {}
    assert behind_proxy.trail.refusals == [("eve", "/", "not-admitted")]
    assert behind_proxy.trail.logins == []


def test_a_right_that_is_taken_away_is_gone_within_seconds(behind_proxy):
    client = behind_proxy.by_proxy("ada")
    client.load()
    del behind_proxy.store.readers["ada"]

    assert client.ask("/").status == 200
    behind_proxy.clock.now += 6
    assert client.ask("/").code == "not-admitted"


def test_admission_is_not_asked_for_each_of_a_pages_many_files(behind_proxy):
    client = behind_proxy.by_proxy("ada")
    client.load()

    for _ in range(20):
        client.ask("/static/main.js")

    assert behind_proxy.store.asked == 1


@pytest.mark.parametrize("host", ["medcam.evil.example", "127.0.0.1.evil.example:8501", "evil@127.0.0.1.example", "["])
def test_other_names_for_this_computer_are_refused(local, host):
    assert local.client().ask(Host=host).code == "wrong-host"


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:9", "[::1]:8501", "LOCALHOST"])
def test_this_computers_own_names_are_known(local, host):
    assert local.client().load(Host=host).status == 200


def test_two_names_at_once_are_refused(local):
    assert local.client().ask(extra=[("host", "medcam.evil.example")]).code == "wrong-host"


FOREIGN = [
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_web_pages_fetch_and_embed_nothing(local, headers):
    client = local.client()
    client.load()

    assert client.ask(f"/films/study-a/{DIGEST}", **headers).status == 403
    assert local.trail.last == "cross-site"
    assert local.loaded == []


def test_a_link_from_elsewhere_opens_a_document(local):
    assert local.client().load(Sec_Fetch_Site="cross-site").status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:3000", "null", f"http://{HOST}.evil.example"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_web_pages_send_nothing(local, origin, method):
    client = local.client()
    client.load()

    assert client.ask("/session", method, Origin=origin).code == "wrong-origin"
    assert client.ask("/session", "POST", Origin=f"http://{HOST}").status == 200


def test_every_answer_carries_the_headers_that_keep_it_private(local):
    client = local.client()

    for path in ("/", "/_stcore/health", "/missing/../x", "/sign-in"):
        answer = client.load(path)
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("referrer-policy") == "same-origin"
        assert "frame-ancestors 'none'" in answer.header("content-security-policy")
        assert answer.header("cross-origin-resource-policy") == "same-origin"
        assert answer.header("cache-control") == "private, no-store"


def test_streamlits_own_files_may_be_kept(local):
    client = local.client()
    client.load()

    assert client.ask("/static/main.js").header("cache-control") == "public, max-age=600"


@pytest.mark.parametrize("other", ["page-of-r1", "page-of-r9", ""])
def test_an_upload_goes_to_ones_own_page_alone(behind_proxy, other):
    bob = behind_proxy.by_proxy("bob")
    ada = behind_proxy.by_proxy("ada")

    async def open_page(wire):
        await wire.hear()
        await wire.tell(rerun())

    for client in (ada, bob):
        client.load()
        client.talk(open_page)

    assert bob.ask("/_stcore/upload_file/page-of-r2/1", "PUT").status == 200
    assert bob.ask(f"/_stcore/upload_file/{other}{'/' if other else 'x/'}1", "PUT").status == 404
    assert behind_proxy.trail.refusals[-1][0] == "bob"
    assert behind_proxy.trail.last == "other-session"
