"""Tokens of the HTTP API."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from medcam.core.api_token import Scope
from medcam.core.errors import UsageError
from medcam.store import Store, TokenStore, audit_events


@pytest.fixture
def tokens(store: Store, trail, clock) -> TokenStore:
    return TokenStore(store, trail, clock)


def test_a_secret_finds_its_token_and_is_kept_nowhere(store, tokens):
    secret, token = tokens.add("ward-3", [Scope.READ, Scope.SUBMIT], by="root@command-line")

    assert tokens.find(secret) == token
    assert tokens.find(secret + "x") is None
    with store.read() as session:
        rows = [str(row) for row in session.execute(text("select * from api_tokens"))]
        events = [str(event) for event in audit_events(store)]
    assert rows
    assert not any(secret in line for line in rows + events)


def test_a_token_ends_when_it_is_revoked_or_its_days_are_over(tokens, clock):
    short, _ = tokens.add("short", [Scope.READ], days=1)
    lasting, _ = tokens.add("lasting", [Scope.READ])
    clock.now += 86_399
    assert tokens.find(short) is not None
    clock.now += 2
    assert tokens.find(short) is None

    tokens.revoke("lasting")

    assert tokens.find(lasting) is None
    assert [token.good(clock.now) for token in tokens.all()] == [False, False]


def test_changes_are_in_the_trail(store, tokens):
    tokens.add("a", [Scope.READ], by="me@x")
    tokens.revoke("a", by="me@x")
    tokens.revoke("a", by="me@x")

    assert [(event.kind, event.reader) for event in audit_events(store)] == [
        ("token-added", "me@x"),
        ("token-revoked", "me@x"),
    ]


@pytest.mark.parametrize(("name", "scopes"), [("", [Scope.READ]), ("A B", [Scope.READ]), ("a", []), ("../x", ["read"])])
def test_what_is_no_token_is_refused(tokens, name, scopes):
    with pytest.raises(UsageError) as refused:
        tokens.add(name, scopes)
    assert refused.value.code == "bad-token"


def test_a_name_is_used_once(tokens):
    tokens.add("a", [Scope.READ])
    tokens.revoke("a")
    with pytest.raises(UsageError, match="already"):
        tokens.add("a", [Scope.READ])


def test_none_of_a_name_is_told(tokens):
    with pytest.raises(UsageError) as refused:
        tokens.revoke("nobody")
    assert refused.value.code == "no-such-token"
