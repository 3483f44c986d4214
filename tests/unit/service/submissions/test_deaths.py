"""Which film killed a worker: told by what stood in the log when the next one came."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from medcam.core.errors import InputError, MedcamError
from medcam.service.jobs.retrying import PermanentError
from medcam.service.submissions.deaths import TRIES, UNNAMED, Deaths

GOOD, BAD = "a" * 64, "b" * 64


def die(deaths: Deaths, *begun: str, alone: bool = True) -> None:
    """Works until films are begun, and leaves behind what a process leaves that is killed then."""
    work = deaths.at_work(alone=alone)
    work.__enter__()
    log = deaths.folder / "at-work.log"
    for sha256 in begun[:-1]:
        deaths.begin(sha256)
        deaths.settled()
    if begun:
        deaths.begin(begun[-1])
    left = log.read_text(encoding="ascii")
    work.__exit__(None, None, None)
    log.write_text(left, encoding="ascii")


def refused(deaths: Deaths, sha256: str) -> str:
    with deaths.at_work(alone=True):
        try:
            deaths.begin(sha256)
        except InputError as error:
            return error.code
    return ""


def test_a_film_that_killed_enough_workers_by_itself_is_refused_and_no_other(tmp_path: Path) -> None:
    deaths = Deaths(tmp_path)
    for _ in range(TRIES):
        assert refused(deaths, BAD) == ""
        die(deaths, GOOD, BAD)
    assert refused(deaths, BAD) == "worker-died"
    assert refused(deaths, GOOD) == ""
    assert deaths.any_film


def test_a_death_among_many_films_or_after_a_film_was_settled_blames_none(tmp_path: Path) -> None:
    deaths = Deaths(tmp_path)
    die(deaths, BAD, alone=False)
    with deaths.at_work(alone=True):
        deaths.begin(GOOD)
        deaths.settled()
        left = (tmp_path / "at-work.log").read_text(encoding="ascii")
    (tmp_path / "at-work.log").write_text(left, encoding="ascii")
    assert refused(deaths, BAD) == refused(deaths, GOOD) == ""
    assert not deaths.any_film


def test_an_end_in_good_order_counts_for_nothing(tmp_path: Path) -> None:
    deaths = Deaths(tmp_path)
    for _ in range(UNNAMED + TRIES):
        with suppress(MedcamError), deaths.at_work(alone=True):
            deaths.begin(BAD)
            raise MedcamError("the disk is full")
    assert refused(deaths, BAD) == ""


def test_workers_that_die_before_any_film_end_the_job(tmp_path: Path) -> None:
    deaths = Deaths(tmp_path)
    for _ in range(UNNAMED):
        die(deaths)
    with pytest.raises(PermanentError) as given_up, deaths.at_work(alone=True):
        pass
    assert given_up.value.code == "job-abandoned"
