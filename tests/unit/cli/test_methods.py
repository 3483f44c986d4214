"""Attribution methods on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable

from medcam.cam.methods.registry import method_names

from .conftest import Ended


def test_methods_are_listed(medcam: Callable[..., Ended]) -> None:
    ended = medcam("models", "methods")
    assert ended.code == 0
    assert all(name in ended.out for name in method_names())
    assert "known-bad control" in " ".join(ended.out.split())


def test_methods_are_listed_as_json(medcam: Callable[..., Ended]) -> None:
    cards = json.loads(medcam("models", "methods", "--json").out)
    assert [card["name"] for card in cards] == list(method_names())
    assert [card["name"] for card in cards if card["control"]] == ["guided-backprop"]
