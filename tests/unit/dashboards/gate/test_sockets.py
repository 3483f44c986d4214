"""Websockets: open while their session lasts, closed with it; one person's page is never another's."""

from __future__ import annotations

import json

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from access import Identity, Limits, LocalWay

from .client import HOST, rerun
from .conftest import PROXY, SECRET

MINUTE = 60
POLICY_VIOLATION = 1008


async def begin(wire):
    """Streamlit's greeting: the session, the headers that the page sees, the first run."""
    said = ForwardMsg.FromString(await wire.hear())
    headers = json.loads(await wire.hear())
    await wire.tell(rerun())
    assert (await wire.hear()).startswith(b"heard ")
    return said.new_session.initialize.session_id, headers


def test_a_page_of_ones_own_opens(local):
    client = local.client()
    client.load()

    wire = client.talk(begin)

    assert wire.accepted
    assert local.ended == [True]


def test_a_page_sees_its_own_key_and_no_clients(behind_proxy):
    client = behind_proxy.by_proxy("ada", X_Medcam_Connection="forged")
    client.load()
    seen = []

    async def look(wire):
        seen.extend((await begin(wire))[1])

    client.talk(look)

    assert seen.count("x-medcam-connection") == 1
    assert not {"x-forwarded-user", "x-proxy-secret"} & set(seen)


@pytest.mark.parametrize(
    ("peer", "headers", "why"),
    [
        ("203.0.113.9", {}, "untrusted-peer"),
        ("203.0.113.9", {"X_Forwarded_User": "ada", "X_Proxy_Secret": SECRET}, "forged-header"),
        (PROXY, {"X_Forwarded_User": "ada"}, "wrong-secret"),
        (PROXY, {"X_Forwarded_User": "ada", "X_Proxy_Secret": SECRET}, "no-session"),
    ],
)
def test_without_identity_or_session_the_line_is_closed(behind_proxy, peer, headers, why):
    wire = behind_proxy.client(peer, **headers).talk(begin)

    assert wire.closed == (POLICY_VIOLATION, why)
    assert behind_proxy.trail.last == why
    assert behind_proxy.ended == []


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:3000", "http://localhost", "null"])
def test_another_web_page_opens_no_line(local, origin):
    client = local.client()
    client.load()

    assert client.talk(begin, Origin=origin).closed == (POLICY_VIOLATION, "wrong-origin")
    assert client.talk(begin, Sec_Fetch_Site="cross-site").closed == (POLICY_VIOLATION, "cross-site")
    assert client.talk(begin, Origin=f"http://{HOST}").accepted


@pytest.mark.parametrize("path", ["/other", "/_stcore/stream/", "/_stcore/agent/mcp", "//_stcore/stream", "/x/../y"])
def test_there_is_but_one_line(local, path):
    client = local.client()
    client.load()

    assert client.talk(begin, path).closed[0] == POLICY_VIOLATION


def test_one_goes_on_with_ones_own_page_after_the_line_was_lost(local):
    client = local.client()
    client.load()
    pages = []

    async def talk(wire):
        pages.append((await begin(wire))[0])

    client.talk(talk)
    client.talk(talk, Sec_WebSocket_Protocol=f"streamlit, xsrf, {pages[0]}")

    assert pages == ["page-of-r1", "page-of-r1"]
    assert local.trail.refusals == []


@pytest.mark.parametrize("offer", ["streamlit, xsrf, page-of-r1", "streamlit,,page-of-r1", "a, b, c, page-of-r1"])
def test_anothers_page_is_not_gone_on_with(behind_proxy, offer):
    ada, bob = behind_proxy.by_proxy("ada"), behind_proxy.by_proxy("bob")
    pages = []

    async def talk(wire):
        pages.append((await begin(wire))[0])

    for client in (ada, bob):
        client.load()
    ada.talk(talk)
    bob.talk(talk, Sec_WebSocket_Protocol=offer)

    assert pages == ["page-of-r1", "page-of-r2"]
    assert behind_proxy.trail.refusals == [("bob", "/_stcore/stream", "other-session")]


def test_the_line_is_closed_when_nothing_is_done(build):
    house = build(LocalWay(Identity("ada", "local")), Limits(idle=0.2))
    client = house.client()
    client.load()

    async def wait(wire):
        await begin(wire)
        house.clock.now += 0.3
        assert await wire.hear() is None

    wire = client.talk(wait)

    assert wire.closed == (POLICY_VIOLATION, "idle")
    assert house.ended == [True]
    assert house.trail.ends == [("ada", "idle")]


def acts():
    upload, widget, heartbeat = BackMsg(), rerun(), BackMsg()
    upload.file_urls_request.request_id = "1"
    heartbeat.app_heartbeat = True
    return [(upload, True), (widget, True), (heartbeat, False), (rerun(on_timer=True), False), (b"\xff\xff", False)]


@pytest.mark.parametrize(("message", "counts"), acts(), ids=["upload", "widget", "heartbeat", "timer", "noise"])
def test_only_what_the_reader_does_counts(local, message, counts):
    client = local.client()
    client.load()

    async def act(wire):
        await begin(wire)
        local.clock.now += 10 * MINUTE
        await wire.tell(message)
        await wire.hear()

    client.talk(act)

    assert client.ask("/session").body == (
        b'{"ends_in":900.0,"idle":900.0}' if counts else b'{"ends_in":300.0,"idle":900.0}'
    )


def test_the_first_run_of_a_page_counts_for_nothing(local):
    client = local.client()
    client.load()
    local.clock.now += 10 * MINUTE

    client.talk(begin)

    assert client.ask("/session").body == b'{"ends_in":300.0,"idle":900.0}'


def test_what_is_done_after_the_end_does_not_arrive(local):
    client = local.client()
    client.load()

    async def late(wire):
        await begin(wire)
        local.clock.now += 16 * MINUTE
        await wire.tell(rerun())
        assert await wire.hear() is None

    assert client.talk(late).closed == (POLICY_VIOLATION, "idle")


def test_sign_out_closes_every_line_of_the_session_and_no_other(behind_proxy):
    ada, elsewhere = behind_proxy.by_proxy("ada"), behind_proxy.by_proxy("ada")
    ada.load()
    elsewhere.load()

    async def sign_out(wire):
        await begin(wire)
        answer = await _ask_within(behind_proxy.app, ada, "/sign-out")
        assert answer == 200
        assert await wire.hear() is None

    async def stay(wire):
        await begin(wire)

    assert ada.talk(sign_out).closed == (POLICY_VIOLATION, "signed-out")
    assert elsewhere.talk(stay).closed is None


async def _ask_within(app, client, target):
    """A request in the event loop of an open websocket, as in a server; gives its status."""
    sent = []
    scope = {**client.scope("http", target, {}), "method": "GET"}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"]


def test_who_is_no_longer_admitted_gets_no_further_than_the_next_act(behind_proxy):
    client = behind_proxy.by_proxy("ada")
    client.load()

    async def act(wire):
        await begin(wire)
        del behind_proxy.store.readers["ada"]
        behind_proxy.clock.now += 10
        await wire.tell(rerun())
        assert await wire.hear() is None

    assert client.talk(act).closed == (POLICY_VIOLATION, "not-admitted")
    assert behind_proxy.trail.refusals[-1] == ("ada", "/_stcore/stream", "not-admitted")
