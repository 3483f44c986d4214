"""The machine behind both readers of pickles: plain values come as they were, and nothing else comes at all."""

from __future__ import annotations

import contextlib
import io
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcam.core.inert_pickle import LARGEST_NUMBER, Name, PickleRefusedError, follow_pickle

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_NUMBER, LARGEST_NUMBER - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(st.text(max_size=4) | st.integers(-9, 9), inner, max_size=4)
    ),
    max_leaves=12,
)


class Recorder:
    """Answers with what it was asked."""

    def named(self, name):
        return name

    def made(self, kind, arguments):
        return ["made", kind, arguments]

    def called(self, function, arguments):
        return ["called", function, arguments]

    def given_state(self, target, state):
        target.append(state)

    def persistent(self, identity):
        return ["persistent", identity]


class Evil:
    def __reduce__(self):
        return (print, ("was run",))


def follow(content, most=10_000, **options):
    return follow_pickle(io.BytesIO(content), Recorder(), most, **options)


@given(VALUES, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_as_they_were(value, protocol):
    assert follow(pickle.dumps(value, protocol)) == value


def test_a_call_is_written_down_and_not_made(capsys):
    made = follow(pickle.dumps(Evil()))

    assert made == ["called", Name("builtins", "print"), ("was run",)]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"cposix\nsystem\n.", None),
        (b"(S'a'\niposix\nsystem\n.", "unsafe"),
        (b"(cposix\nsystem\nS'a'\no.", "unsafe"),
        (b"\x80\x02\x82\x01.", "unsafe"),
        (b"\x80\x04cposix\nsystem\n)}\x92.", "unsafe"),
        (b"\x80\x05\x97.", "unsafe"),
        (b"\x80\x04N.", None),
        (b"\x80\x04", "broken"),
        (b"NN.", "broken"),
        (b"(N.", "broken"),
        (b"h\x01.", "broken"),
        (b"}]Ns.", "unsafe"),
        (b"NNa.", "unsafe"),
        (b"\x8a\x0a" + bytes(8) + b"\x01\x00.", "unsafe"),
        (b"]" + b"N" * 200 + b".", "too-large"),
    ],
)
def test_what_builds_no_plain_value_is_refused(content, kind):
    if kind is None:
        follow(content, most=100)
        return
    with pytest.raises(PickleRefusedError) as refused:
        follow(content, most=100)
    assert refused.value.kind == kind


def test_a_larger_number_comes_where_it_is_asked_for():
    assert follow(pickle.dumps(2**70, 2), largest_number=2**80) == 2**70


@given(st.binary(max_size=60))
def test_no_bytes_do_anything_else(content):
    with contextlib.suppress(PickleRefusedError):
        follow(content, most=500)
