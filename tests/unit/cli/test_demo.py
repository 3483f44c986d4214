"""`medcam demo`: the table, and what happens at the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.cli import demo as command
from medcam.cli import review
from medcam.service import demo as service
from medcam.service.demo import Demo, DemoRow

from .conftest import Ended
from .test_annotate import manifest

ROWS = (
    DemoRow("film-1.dcm", "Nodule", 0.912, True, True, True, 0.61, "subtle"),
    DemoRow("film-1.dcm", "Mass", 0.2, False, True, False, None, "plain"),
    DemoRow("film-2.dcm", "Mass", 0.7, True, False),
    DemoRow("film-3.dcm", "Atelectasis", 0.4, None, True, True, 0.5),
)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders that the review page was opened on."""
    folders: list[Path] = []
    monkeypatch.setattr(review, "open_review", folders.append)
    monkeypatch.setattr(service, "run_demo", lambda out, progress: Demo(manifest(annotated=3), ROWS))
    return folders


def test_elsewhere_than_on_a_terminal_the_review_command_is_printed(
    medcam: Callable[..., Ended], opened: list[Path]
) -> None:
    ended = medcam("demo", "--out", "shown")
    assert ended.code == 0
    assert "medcam review --store shown" in ended.out
    assert opened == []


def test_the_table_sets_found_beside_there(medcam: Callable[..., Ended], opened: list[Path]) -> None:
    said = medcam("demo").out
    lines = [re.split(r"  +", line[1:].rstrip()) for line in said.splitlines()]
    assert ["film-1", "Nodule", "0.91", "yes", "subtle", "yes", "0.61"] in lines
    assert ["", "Mass", "0.20", "no", "plain", "no"] in lines
    assert ["film-2", "Mass", "0.70", "yes", "no"] in lines
    assert ["film-3", "Atelectasis", "0.40", "withheld", "yes", "yes", "0.50"] in lines
    assert "Found 1 of the 3 findings that are there, and 1 that are not." in said
    assert "2 times out of 3" in said
    assert "Not a medical device" in said


def test_on_a_terminal_the_review_page_opens_unless_asked_not_to(
    medcam: Callable[..., Ended], opened: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "on_terminal", lambda: True)
    assert "medcam review" not in medcam("demo", "--out", "shown").out
    assert opened == [Path("shown")]
    assert "medcam review" in medcam("demo", "--no-dashboard").out
    assert opened == [Path("shown")]
