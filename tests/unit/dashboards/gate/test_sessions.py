"""Sessions end: after a while of nothing, at the latest after a day, at sign-out, and when somebody else comes."""

from __future__ import annotations

import pytest

from access import Identity, Limits, LocalWay
from medcam.core.errors import InvalidValueError

from .client import HOST

MINUTE = 60


def test_a_session_begins_with_a_page_and_its_cookie_is_out_of_reach_of_scripts(local):
    client = local.client()

    answer = client.load()

    cookie = answer.header("set-cookie")
    assert cookie.startswith("medcam_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert len(client.cookies["medcam_session"]) >= 43
    assert local.trail.logins == ["ada"]


def test_where_browsers_come_by_https_the_cookie_goes_by_https(behind_proxy):
    assert "Secure" in behind_proxy.by_proxy("ada").load().header("set-cookie")


def test_a_session_begins_once(local):
    client = local.client()
    client.load()

    assert client.load().header("set-cookie") is None
    assert client.ask("/x").status == 200
    assert local.trail.logins == ["ada"]


def test_what_is_no_page_begins_none(local):
    answer = local.client().ask("/x", Accept="*/*")

    assert answer.code == "no-session"
    assert local.trail.logins == []


def test_a_key_that_was_not_given_out_is_no_session(local):
    client = local.client()
    client.cookies["medcam_session"] = "of-my-own-making"

    assert client.ask("/x").code == "no-session"
    assert client.load().status == 200
    assert client.cookies["medcam_session"] != "of-my-own-making"


def test_a_session_ends_when_nothing_is_done(local):
    client = local.client()
    client.load()

    local.clock.now += 15 * MINUTE
    assert client.ask("/x").status == 200
    local.clock.now += 1
    answer = client.load()

    assert answer.status == 401
    assert b"Your session ended" in answer.body
    assert local.trail.ends == [("ada", "idle")]
    assert local.trail.last == "idle"


def test_an_ended_session_stays_ended_and_its_end_is_told_once(local):
    client = local.client()
    client.load()
    local.clock.now += 16 * MINUTE
    client.load()

    local.clock.now -= 16 * MINUTE

    assert client.load().status == 401
    assert client.ask("/session", "POST").status == 401
    assert local.trail.ends == [("ada", "idle")]


def test_loading_pages_and_telling_of_acts_keep_a_session(local):
    client = local.client()
    client.load()

    for _ in range(4):
        local.clock.now += 14 * MINUTE
        assert client.load().status == 200
        local.clock.now += 14 * MINUTE
        assert client.ask("/session", "POST").body == b'{"ends_in":900.0,"idle":900.0}'

    assert local.trail.ends == []


def test_fetching_films_and_asking_how_long_keep_none(local):
    client = local.client()
    client.load()

    local.clock.now += 14 * MINUTE
    assert client.ask("/films/study-a/" + "ab" * 32).status == 404
    assert client.ask("/session").body == b'{"ends_in":60.0,"idle":900.0}'
    local.clock.now += 2 * MINUTE

    assert client.ask("/session").code == "idle"


def test_a_session_ends_after_its_longest_time_whatever_is_done(build):
    house = build(LocalWay(Identity("ada", "local")), Limits(idle=15 * MINUTE, longest=60 * MINUTE))
    client = house.client()
    client.load()

    for _ in range(5):
        house.clock.now += 12 * MINUTE
        client.load()
    assert house.trail.ends == []
    house.clock.now += 1

    assert client.ask("/x").code == "too-old"


def test_after_the_end_a_person_says_that_they_are_there(local):
    client = local.client()
    client.load()
    old = client.cookies["medcam_session"]
    local.clock.now += 16 * MINUTE
    assert b'href="/sign-in?next=%2Freview%3Fstudy%3D1"' in client.load("/review?study=1").body

    page = client.load("/sign-in?next=%2Freview%3Fstudy%3D1")
    assert b'action="/sign-in?next=%2Freview%3Fstudy%3D1"' in page.body
    answer = client.ask("/sign-in?next=%2Freview%3Fstudy%3D1", "POST", Origin=f"http://{HOST}")

    assert (answer.status, answer.header("location")) == (303, "/review?study=1")
    assert client.cookies["medcam_session"] != old
    assert client.load("/review").status == 200
    assert local.trail.logins == ["ada", "ada"]


def test_another_web_page_begins_no_session(local):
    assert local.client().ask("/sign-in", "POST", Origin="http://evil.example").status == 403
    assert local.trail.logins == []


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/%5cevil.example",
        "/\\evil.example",
        "/x%0d%0aSet-Cookie:a=b",
        "javascript:alert(1)",
        "/../x",
        "/sign-out",
        "/auth/logout",
        "/" + "x" * 2000,
        "",
    ],
)
def test_after_sign_in_nobody_is_sent_elsewhere(local, target):
    client = local.client()

    answer = client.ask("/sign-in?next=" + target.replace("%", "%25"), "POST")

    assert answer.header("location") == "/"


def test_after_sign_out_nothing_opens_until_a_new_session_begins(local):
    client = local.client()
    client.load()

    answer = client.load("/sign-out")

    assert answer.status == 200
    assert b"You are signed out" in answer.body
    assert answer.header("clear-site-data") == '"cache"'
    assert client.load().status == 401
    assert local.trail.ends == [("ada", "signed-out")]
    assert local.trail.last == "signed-out"


def test_another_web_page_signs_nobody_out(local):
    client = local.client()
    client.load()

    assert client.load("/sign-out", Sec_Fetch_Site="cross-site").status == 403
    assert client.load().status == 200


def test_signing_out_without_a_session_ends_nobodys(behind_proxy):
    ada = behind_proxy.by_proxy("ada")
    ada.load()

    behind_proxy.client("203.0.113.9").load("/sign-out")
    behind_proxy.by_proxy("bob").load("/sign-out")

    assert ada.load().status == 200
    assert behind_proxy.trail.ends == []


def test_somebody_elses_cookie_is_no_way_in_and_ends_that_session(behind_proxy):
    ada, bob = behind_proxy.by_proxy("ada"), behind_proxy.by_proxy("bob")
    ada.load()
    bob.cookies.update(ada.cookies)

    assert bob.ask("/x").code == "no-session"
    assert behind_proxy.trail.ends == [("ada", "other-identity")]
    assert ada.load().status == 401


def test_two_browsers_have_two_sessions(behind_proxy):
    first, second = behind_proxy.by_proxy("ada"), behind_proxy.by_proxy("ada")
    first.load()
    second.load()

    first.load("/sign-out")

    assert second.load().status == 200


def test_a_trail_that_cannot_be_written_lets_nobody_in(local):
    def full(_identity):
        raise OSError("no space left")

    client = local.client()
    local.trail.logins = type("Full", (), {"append": staticmethod(full)})()

    with pytest.raises(OSError, match="no space left"):
        client.load()
    local.trail.logins = []
    client.load()

    assert local.trail.logins == ["ada"]


@pytest.mark.parametrize("times", [{"idle": 0}, {"idle": -1}, {"idle": 20, "longest": 10}, {"admission": 0}])
def test_times_that_make_no_sense_are_refused(times):
    with pytest.raises(InvalidValueError):
        Limits(**times)


def test_sessions_that_ended_long_ago_are_forgotten(local):
    from access.sessions import SessionTable

    table = SessionTable(Limits(), local.clock)
    ended, left, young = (table.start(LocalWay().identity) for _ in range(3))
    table.end(ended, "signed-out")
    local.clock.now += 12 * 3600
    table.act(young)
    young.acted = local.clock.now
    local.clock.now += 1000

    table.start(LocalWay().identity)

    assert table.find(ended.key) is None
    assert table.find(left.key) is None
    assert table.find(young.key) is young
