"""`medcam evaluate sanity`, on tiny random networks and on phantoms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.evaluate.sanity.record import SanityRecord, Verdict

from .conftest import Ended

Command = Callable[..., Ended]


@pytest.fixture
def call(medcam: Command, tiny_models: tuple[Path, Path]) -> Command:
    """The command on a tiny network, on ten phantoms."""
    return lambda *more: medcam("evaluate", "sanity", "--model", tiny_models[0], "--films", 10, *more)


def test_the_table_the_verdicts_and_the_rule_are_shown_and_the_record_is_written(call: Command, tmp_path: Path) -> None:
    file = tmp_path / "records" / "sanity.json"
    ended = call("--method", "cam", "--method", "guided-backprop", "--out", file)

    assert ended.code == 0, ended.err
    record = SanityRecord.from_json(file.read_text(encoding="utf-8"))
    assert record.verdict("guided-backprop") is Verdict.FAILED
    for name in record.methods:
        assert f"{name}: {record.verdict(name)}." in ended.out
    assert "guided-backprop (known bad)" in ended.out
    assert "10 films of 10 patients. Rule: by Spearman correlation" in ended.out
    assert "Note: the test of two models was not made: no such model was given." in ended.out
    assert "Note: the test of label randomisation was not made: no such model was given." in ended.out
    assert "cam: cascading randomisation" in ended.err


def test_a_second_and_a_shuffled_model_are_compared_and_json_is_the_record(
    call: Command, tiny_models: tuple[Path, Path]
) -> None:
    ended = call("--method", "cam", "--second", tiny_models[1], "--shuffled", tiny_models[1], "--json")

    assert ended.code == 0, ended.err
    record = SanityRecord.from_json(ended.out)
    told = {row.test: row for row in record.rows if row.measure == "spearman"}
    assert told["two models"].detail == told["label randomisation"].detail == "tiny-4"
    assert (told["two models"].must, told["label randomisation"].must) == ("keep", "lose")
    assert told["two models"].similarity == told["label randomisation"].similarity


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--method", "tea-leaves"), "tea-leaves"),
        (("--second", "text", "--method", "cam"), "models-not-alike"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_wrong_calls_are_told_and_write_nothing(
    call: Command, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    ended = call(*words, "--out", tmp_path / "record.json")

    assert ended.code == 2
    assert told in ended.err
    assert not (tmp_path / "record.json").exists()
