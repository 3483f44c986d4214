"""OpenID Connect: the cookie that Streamlit sets is believed as Streamlit believes it, and while it lasts."""

from __future__ import annotations

import json

import pytest
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from access import OidcWay
from medcam.core.errors import InvalidValueError

from .client import HOST

MINUTE = 60
COOKIE = "_streamlit_user"
SETTINGS = {
    "redirect_uri": f"http://{HOST}/oauth2callback",
    "client_id": "medcam",
    "client_secret": "known to the provider",
    "server_metadata_url": "https://id.example/.well-known/openid-configuration",
    "cookie_secret": "0123456789abcdef" * 4,
}


@pytest.fixture
def oidc(build):
    """A gate whose readers are signed in by a provider, and Streamlit's settings with it."""
    way = OidcWay(**SETTINGS)
    secrets_singleton.merge_programmatic_secrets(way.secrets())
    yield build(way)
    secrets_singleton.merge_programmatic_secrets({})
    secrets_singleton._reset()


def claims(house, subject="ada", **other):
    """What Streamlit keeps of an ID token."""
    return {
        "iss": "https://id.example",
        "sub": subject,
        "name": "Ada",
        "email": "ada@example.org",
        "iat": int(house.clock.now),
        "nonce": "once",
        "origin": f"http://{HOST}",
        "is_logged_in": True,
        "provider": "default",
        **other,
    }


def signed(said, secret=SETTINGS["cookie_secret"], name=COOKIE):
    return create_signed_value(secret, name, json.dumps(said)).decode()


def signed_in(house, subject="ada", **other):
    client = house.client()
    client.cookies[COOKIE] = signed(claims(house, subject, **other))
    return client


def test_who_signed_in_at_the_provider_is_known_to_routes(oidc):
    client = signed_in(oidc)

    answer = client.load()

    assert answer.status == 200
    assert b'"reader":"r1"' in answer.body
    assert oidc.trail.logins == ["ada"]
    assert list(client.cookies) == [COOKIE]


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/films/study-a/" + "ab" * 32, "/_stcore/host-config"])
def test_without_the_cookie_nothing_opens(oidc, path):
    assert oidc.client().ask(path).code == "no-identity"


@pytest.mark.parametrize("path", ["/auth/login?provider=x", "/oauth2callback?code=1&state=2", "/auth/logout"])
def test_what_the_sign_in_needs_is_open(oidc, path):
    assert oidc.client().load(path).body == b'{"anyone":true}'


@pytest.mark.parametrize("path", ["/auth/login/", "/auth/", "/auth/login/../..", "/auth/loginx", "/oauth2callback/x"])
def test_what_only_looks_like_it_is_not(oidc, path):
    assert oidc.client().load(path).status in (400, 401)


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "nonsense",
        json.dumps({"sub": "ada", "is_logged_in": True}),
        signed({"sub": "ada", "iss": "x", "iat": 1_750_000_000, "is_logged_in": True}, secret="another secret" * 4),
        signed({"sub": "ada", "iss": "x", "iat": 1_750_000_000, "is_logged_in": True}, name="_streamlit_user_tokens"),
    ],
    ids=["empty", "nonsense", "unsigned", "anothers-secret", "another-cookie"],
)
def test_a_cookie_of_ones_own_making_is_none(oidc, cookie):
    client = oidc.client()
    client.cookies[COOKIE] = cookie

    assert client.ask().code == "no-identity"


def test_a_signature_moved_to_other_words_is_none(oidc):
    ada, roy = signed(claims(oidc)), signed(claims(oidc, "roy"))
    client = oidc.client()
    client.cookies[COOKIE] = ".".join([roy.rsplit(".", 2)[0], *ada.rsplit(".", 2)[1:]])

    assert client.ask().code == "no-identity"


@pytest.mark.parametrize(
    "wrong",
    [
        {"is_logged_in": False},
        {"is_logged_in": "yes"},
        {"origin": "http://other.example"},
        {"provider": "another"},
        {"iss": ""},
        {"sub": None},
        {"sub": ["ada"]},
        {"iat": None},
        {"iat": True},
        {"iat": "yesterday"},
    ],
    ids=str,
)
def test_claims_that_name_nobody_name_nobody(oidc, wrong):
    assert signed_in(oidc, **wrong).ask().code == "no-identity"


def test_a_long_cookie_comes_in_pieces(oidc):
    said = json.dumps(claims(oidc))
    client = oidc.client()
    client.cookies[COOKIE] = create_signed_value(SETTINGS["cookie_secret"], COOKIE, "chunks-2").decode()
    for number, piece in enumerate((said[:50], said[50:]), 1):
        name = f"{COOKIE}_{number}"
        client.cookies[name] = create_signed_value(SETTINGS["cookie_secret"], name, piece).decode()

    assert client.load().status == 200

    del client.cookies[f"{COOKIE}_2"]
    assert client.ask().code == "no-identity"


def test_a_sign_in_that_is_older_than_the_idle_time_is_over_when_the_server_has_not_seen_it(oidc):
    client = signed_in(oidc)
    oidc.clock.now += 16 * MINUTE

    assert client.ask().code == "idle"
    assert oidc.trail.logins == []


def test_a_provider_whose_clock_is_ahead_gives_no_longer_session(oidc):
    client = signed_in(oidc, iat=int(oidc.clock.now) + 3600)
    client.load()

    assert client.ask("/session").body == b'{"ends_in":900.0,"idle":900.0}'


def test_after_idle_time_the_cookie_is_worth_nothing_though_it_is_good_for_a_month(oidc):
    client = signed_in(oidc)
    client.load()
    oidc.clock.now += 16 * MINUTE

    assert client.load().status == 401
    assert client.ask("/session", "POST", Origin=f"http://{HOST}").status == 401
    assert oidc.trail.ends == [("ada", "idle")]


def test_a_new_sign_in_begins_a_new_session(oidc):
    client = signed_in(oidc)
    client.load()
    oidc.clock.now += 16 * MINUTE
    client.load()

    client.cookies[COOKIE] = signed(claims(oidc, nonce="twice"))

    assert client.load().status == 200
    assert oidc.trail.logins == ["ada", "ada"]


def test_a_cookie_that_was_signed_out_does_not_come_back(oidc):
    client = signed_in(oidc)
    client.load()

    answer = client.load("/sign-out")

    assert (answer.status, answer.header("location")) == (303, "/auth/logout")
    assert client.load().status == 401
    assert oidc.trail.last == "signed-out"
    # The same words signed at another moment are other bytes, and the same sign-in.
    client.cookies[COOKIE] = signed(dict(reversed(claims(oidc).items())))
    assert client.load().status == 401


def test_signing_out_as_streamlit_does_ends_the_session_too(oidc):
    client = signed_in(oidc)
    client.load()

    assert client.load("/auth/logout").status == 200

    assert client.load().status == 401
    assert oidc.trail.ends == [("ada", "signed-out")]


def test_a_sign_in_that_was_never_used_is_ended_by_sign_out(oidc):
    client = signed_in(oidc)

    client.load("/auth/logout")

    assert client.load().status == 401


def test_another_web_page_signs_nobody_out(oidc):
    client = signed_in(oidc)
    client.load()

    for path in ("/sign-out", "/auth/logout"):
        assert client.load(path, Sec_Fetch_Site="cross-site").status == 403
    assert client.load().status == 200


def test_sign_in_leads_to_the_provider_and_back_to_what_was_asked_for(oidc):
    client = oidc.client()
    assert b"/sign-in?next=%2Freview%3Fstudy%3D1" in client.load("/review?study=1").body

    answer = client.load("/sign-in?next=%2Freview%3Fstudy%3D1")

    assert answer.status == 303
    assert answer.header("location").startswith("/auth/login?provider=")
    assert client.cookies == {"medcam_next": "/review?study=1"}
    client.cookies[COOKIE] = signed(claims(oidc))
    back = client.load("/")
    assert (back.status, back.header("location")) == (303, "/review?study=1")
    assert client.cookies["medcam_next"] == ""
    assert client.load("/").status == 200


def test_nobody_is_sent_elsewhere_by_a_cookie(oidc):
    client = signed_in(oidc)
    client.cookies["medcam_next"] = "//evil.example"

    assert client.load("/").status == 200


def test_only_the_dashboards_own_name_is_known(oidc):
    assert signed_in(oidc).ask(Host="localhost:8501").code == "wrong-host"


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "http://medcam.example/oauth2callback"},
        {"redirect_uri": f"http://{HOST}/elsewhere"},
        {"redirect_uri": "nonsense"},
        {"server_metadata_url": "http://id.example/.well-known/openid-configuration"},
        {"cookie_secret": "short"},
        {"client_id": ""},
        {"client_secret": ""},
        {"scope": "email"},
    ],
    ids=str,
)
def test_settings_that_are_not_safe_are_refused(wrong):
    with pytest.raises(InvalidValueError):
        OidcWay(**{**SETTINGS, **wrong})


def test_secrets_are_not_shown():
    shown = repr(OidcWay(**SETTINGS))

    assert SETTINGS["client_secret"] not in shown
    assert SETTINGS["cookie_secret"] not in shown


def test_behind_https_cookies_go_by_https():
    assert OidcWay(**{**SETTINGS, "redirect_uri": "https://medcam.example/oauth2callback"}).secure
    assert not OidcWay(**SETTINGS).secure


def test_any_address_will_do_for_the_server():
    OidcWay(**SETTINGS).check_start("0.0.0.0")
