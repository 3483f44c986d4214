"""A short run of the fuzz driver: the long ones are made by hand."""

from __future__ import annotations

from .__main__ import damaged
from .corpus import films
from .judge import judge


def test_damaged_files_end_in_a_radiograph_or_an_error_of_ours() -> None:
    report = judge(damaged(150, seed=20))
    assert report.count == 150
    assert report.offences == []
    assert report.outcomes["radiograph"] > 0  # not everything is refused
    assert len(report.outcomes) > 5  # nor for one reason alone


def test_whole_films_load() -> None:
    whole = list(films())
    report = judge(whole)
    assert report.outcomes == {"radiograph": len(whole)}
    assert report.offences == []
