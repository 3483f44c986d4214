"""The server's memory: cycles are found on a timer, and what is loaded at the start is set aside."""

import gc
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest
from page_words import button

import housekeeping
from medcam.service.studies.shown import ShownFilm

DASHBOARDS = Path(housekeeping.__file__).parent


class Session:
    """Refers to itself, as a session and its pages refer to each other."""

    def __init__(self):
        self.page = self


@pytest.fixture
def collector():
    """Python's own settings and nothing found by it alone meanwhile; put back afterwards."""
    before = gc.get_threshold()
    gc.disable()
    yield
    gc.enable()
    gc.set_threshold(*before)


def test_cycles_are_freed(collector):
    session = weakref.ref(Session())
    assert session() is not None
    housekeeping.tidy()
    assert session() is None


def test_house_is_kept_until_it_is_ended(collector):
    ended = housekeeping.keep_house(interval=0.01)
    try:
        session = weakref.ref(Session())
        until = time.monotonic() + 20.0
        while session() is not None and time.monotonic() < until:
            time.sleep(0.01)
        assert session() is None
        assert gc.get_threshold()[2] > 10, "old objects are looked at on the timer"
    finally:
        ended.set()
    until = time.monotonic() + 20.0
    while _keepers() and time.monotonic() < until:
        time.sleep(0.01)
    assert not _keepers()


def test_what_pages_need_is_loaded_and_set_aside():
    """In a process of its own: what is set aside stays so."""
    code = (
        "import gc, sys, housekeeping; housekeeping.load(); housekeeping.load();"
        "missing = [name for name in ('components.film_view', 'components.study_table') if name not in sys.modules];"
        "assert not missing, missing; print(gc.get_freeze_count(), len(gc.get_objects()))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=DASHBOARDS, capture_output=True, text=True, check=True)
    set_aside, others = (int(number) for number in run.stdout.split())
    assert set_aside > 10 * others


def _keepers():
    return [one for one in threading.enumerate() if one.name == "housekeeping"]


def test_films_that_were_shown_are_let_go(desk, film, said, page):
    """Streamlit keeps what a part of a page was made with as long as the session: that must not be films."""
    studies = [desk.keep(number, film((said("Nodule", 0.9, 0.4), said("Mass", 0.2)))) for number in range(901, 907)]
    shown = page("review", study=studies[0])
    for study in studies:
        shown.query_params["study"] = study
        shown.run()
        button(shown, "Next finding").click().run()
        assert not shown.exception
    gc.collect()
    kept = {one.film.study_id for one in gc.get_objects() if type(one) is ShownFilm}
    assert not kept & set(studies[:-1]), "only the last one may still be there"
