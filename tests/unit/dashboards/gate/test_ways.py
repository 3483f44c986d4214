"""Who asks: the user of this computer, or whom a proxy names; and nobody who only says so."""

from __future__ import annotations

import getpass
import os

import pytest

from access import FORWARDING_VARIABLE, HeaderWay, Identity, LocalWay
from medcam.core.errors import InvalidValueError, UsageError

from .conftest import PROXY, SECRET


def test_at_ones_own_desk_one_is_the_user_of_the_computer(local, monkeypatch):
    monkeypatch.setenv("LOGNAME", "somebody-else")
    way = LocalWay()

    assert local.client().load().status == 200
    assert way.identity.issuer == "local"
    if os.name == "posix":
        assert way.identity.subject != "somebody-else"
    else:
        assert way.identity.subject == getpass.getuser()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.4", "", "medcam.example"])
def test_without_sign_in_the_server_is_for_this_computer_alone(address):
    with pytest.raises(UsageError, match="this computer alone"):
        LocalWay().check_start(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_without_sign_in_the_server_may_bind_to_loopback(address):
    LocalWay().check_start(address)


@pytest.mark.parametrize("peer", ["192.168.1.4", "10.0.0.7", "::ffff:10.0.0.7", "unix", None])
def test_at_ones_own_desk_other_computers_are_strangers(local, peer):
    answer = local.client(peer).load()

    assert answer.status == 401
    assert local.trail.refusals == [(None, "/", "not-loopback")]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_at_ones_own_desk_every_loopback_address_is_this_computer(local, peer):
    assert local.client(peer).load().status == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_at_ones_own_desk_a_proxy_does_not_make_its_clients_the_reader(local, header):
    answer = local.client(**{header: "203.0.113.9"}).load()

    assert answer.status == 401
    assert local.trail.last == "through-a-proxy"


def test_a_proxy_says_who_asks(behind_proxy):
    answer = behind_proxy.by_proxy("ada", X_Forwarded_Name="Åda Ł", X_Forwarded_Email="ada@example.org").load()

    assert answer.status == 200
    assert b'"reader":"r1"' in answer.body
    assert behind_proxy.trail.logins == ["ada"]


def test_pages_and_routes_see_neither_the_secret_nor_the_names(behind_proxy):
    answer = behind_proxy.by_proxy("ada", X_Forwarded_Email="a@example.org", X_Medcam_Connection="forged").load()

    assert b"host" in answer.body
    for header in (b"x-forwarded-user", b"x-forwarded-email", b"x-proxy-secret", b"x-medcam-connection"):
        assert header not in answer.body


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.8", "::1", None])
def test_a_header_from_elsewhere_is_a_forgery_even_with_the_secret(behind_proxy, peer):
    answer = behind_proxy.client(peer, X_Forwarded_User="ada", X_Proxy_Secret=SECRET).load()

    assert answer.status == 401
    assert behind_proxy.trail.refusals == [(None, "/", "forged-header")]


def test_without_a_header_a_stranger_is_a_stranger(behind_proxy):
    assert behind_proxy.client("10.0.0.8").load().status == 401
    assert behind_proxy.trail.last == "untrusted-peer"


@pytest.mark.parametrize("secret", ["", "a secret of the proxy'S", "wrong"])
def test_the_proxys_address_without_its_secret_is_not_the_proxy(behind_proxy, secret):
    answer = behind_proxy.client(PROXY, X_Forwarded_User="ada", X_Proxy_Secret=secret).load()

    assert answer.status == 401
    assert behind_proxy.trail.last == "wrong-secret"


def test_a_secret_sent_twice_is_none(behind_proxy):
    answer = behind_proxy.by_proxy("ada").ask(extra=[("X-Proxy-Secret", SECRET)])

    assert (answer.status, answer.code) == (401, "wrong-secret")


@pytest.mark.parametrize("second", ["roy", "ada", ""])
def test_a_name_sent_twice_is_none(behind_proxy, second):
    answer = behind_proxy.by_proxy("ada").ask(extra=[("x-forwarded-USER", second)])

    assert (answer.status, answer.code) == (401, "ambiguous-header")


@pytest.mark.parametrize("name", ["\x07ada", "a" * 600])
def test_a_name_that_no_person_has_is_refused(behind_proxy, name):
    answer = behind_proxy.by_proxy(name).ask()

    assert (answer.status, answer.code) == (401, "ambiguous-header")


def test_a_proxy_that_names_nobody_lets_nobody_in(behind_proxy):
    assert behind_proxy.by_proxy("").ask().code == "no-identity"


def test_x_forwarded_for_does_not_move_the_peer(behind_proxy):
    client = behind_proxy.client("203.0.113.9", X_Forwarded_User="ada", X_Proxy_Secret=SECRET, X_Forwarded_For=PROXY)

    assert client.load().status == 401


def test_networks_of_proxies_are_understood(build):
    house = build(HeaderWay(("10.1.0.0/16", "fd00::/8")))

    assert house.client("10.1.200.3", X_Forwarded_User="ada").load().status == 200
    assert house.client("::ffff:10.1.200.3", X_Forwarded_User="ada").load().status == 200
    assert house.client("fd00::1", X_Forwarded_User="ada").load().status == 200
    assert house.client("10.2.0.1", X_Forwarded_User="ada").load().status == 401


@pytest.mark.parametrize("believed", [None, "127.0.0.1", "*"])
def test_a_server_that_believes_x_forwarded_for_is_not_started(behind_proxy, monkeypatch, believed):
    if believed is None:
        monkeypatch.delenv(FORWARDING_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(FORWARDING_VARIABLE, believed)

    with pytest.raises(UsageError, match="X-Forwarded-For"):
        HeaderWay((PROXY,)).check_start("0.0.0.0")


def test_a_server_that_believes_nobody_is_started(monkeypatch):
    monkeypatch.setenv(FORWARDING_VARIABLE, "")

    HeaderWay((PROXY,)).check_start("0.0.0.0")


@pytest.mark.parametrize(
    "options",
    [
        {"proxies": ()},
        {"proxies": ("proxy.example",)},
        {"proxies": ("10.0.0.1/8",)},
        {"proxies": (PROXY,), "user_header": "X Forwarded User"},
        {"proxies": (PROXY,), "user_header": "x_forwarded_user"},
        {"proxies": (PROXY,), "secret_header": "X-Secret"},
        {"proxies": (PROXY,), "secret": SECRET},
        {"proxies": (PROXY,), "secret_header": "X-Secret", "secret": "short"},
    ],
)
def test_half_a_setting_is_none(options):
    with pytest.raises(InvalidValueError):
        HeaderWay(**options)


def test_a_secret_is_not_shown():
    assert SECRET not in repr(HeaderWay((PROXY,), secret_header="X-Proxy-Secret", secret=SECRET))


@pytest.mark.parametrize(("subject", "issuer"), [("", "proxy"), ("ada", " "), ("a\nb", "proxy"), ("a" * 513, "proxy")])
def test_an_identity_has_a_name_that_can_be_written_down(subject, issuer):
    with pytest.raises(InvalidValueError):
        Identity(subject, issuer)
