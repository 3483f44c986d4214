"""`medcam evaluate faithfulness`, on a tiny random network and on phantoms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.evaluate.faithfulness.record import FaithfulnessRecord

from .conftest import Ended

Command = Callable[..., Ended]


@pytest.fixture
def call(medcam: Command, tiny_models: tuple[Path, Path]) -> Command:
    """The command on the tiny network, by one method, on three phantoms."""
    words = ("evaluate", "faithfulness", "--model", tiny_models[0], "--method", "cam", "--films", 3)
    return lambda *more: medcam(*words, *more)


def test_tables_say_how_and_the_record_is_written(call: Command, tmp_path: Path) -> None:
    file = tmp_path / "records" / "faithfulness.json"
    ended = call("--fill", "noisy-linear", "--fill", "healthy", "--engine", "torch", "--out", file)

    assert ended.code == 0, ended.err
    for words in ("noisy-linear (difference is ROAD)", "filled with: healthy", "random (control)", "centre (control)"):
        assert words in ended.out
    for words in ("sensitivity-16", "infidelity, scaled", "top tenth", "true / predicted"):
        assert words in ended.out
    assert "filled with: blur" not in ended.out
    assert "3 films of 3 patients, 16 x 16 cells, torch:fp32." in ended.out
    record = FaithfulnessRecord.from_json(file.read_text(encoding="utf-8"))
    assert {row.method for row in record.curves} == {"cam", "random", "centre"}
    assert {row.fill for row in record.curves} == {"noisy-linear", "healthy"}


def test_json_is_the_record_and_the_same_call_gives_the_same(call: Command) -> None:
    first, again, other = (call("--fill", "mean", "--seed", seed, "--json") for seed in (1, 1, 2))

    record = FaithfulnessRecord.from_json(first.out)
    assert json.loads(first.out) == json.loads(again.out)
    assert first.out != other.out
    assert (record.model, record.data, record.seed) == ("tiny-3", "phantoms", 1)
    assert record.exact


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--fill", "snow"), "Choose from mean, blur, noisy-linear, healthy."),
        (("--method", "tea-leaves"), "tea-leaves"),
        (("--data", "nowhere"), "nowhere"),
        (("--films", "1"), "--films"),
    ],
)
def test_wrong_calls_are_told_and_write_nothing(
    call: Command, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    ended = call(*words, "--out", tmp_path / "record.json")

    assert ended.code == 2
    assert told in ended.err
    assert not (tmp_path / "record.json").exists()
