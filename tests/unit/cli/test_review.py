"""`medcam review`: what is asked of the server, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.cli import review as command
from medcam.service.review import ReviewError

from .conftest import Ended


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, int]]:
    """Folder and port of each page that was served; a page is ready at once and ends at once."""
    pages: list[tuple[Path, int]] = []

    def serve(folder: Path, port: int, on_ready: Callable[[str], None]) -> None:
        pages.append((folder, port))
        on_ready(f"http://127.0.0.1:{port}")

    monkeypatch.setattr(command, "serve_review", serve)
    monkeypatch.setattr(command, "has_display", lambda: False)
    return pages


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that a browser was opened on."""
    addresses: list[str] = []
    monkeypatch.setattr(command.webbrowser, "open", addresses.append)
    return addresses


def test_the_address_and_the_intended_use_are_said(
    medcam: Callable[..., Ended], served: list[tuple[Path, int]], opened: list[str], tmp_path: Path
) -> None:
    ended = medcam("review", "--store", tmp_path, "--port", 8765)
    assert ended.code == 0
    assert "http://127.0.0.1:8765" in ended.out
    assert "Research use. Not a medical device." in ended.out
    assert served == [(tmp_path.resolve(), 8765)]
    assert opened == []


def test_a_browser_is_opened_where_there_is_a_display(
    medcam: Callable[..., Ended],
    served: list[tuple[Path, int]],
    opened: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "has_display", lambda: True)
    assert medcam("review", "--store", tmp_path).code == 0
    assert opened == [f"http://127.0.0.1:{command.DEFAULT_PORT}"]


def test_without_results_the_next_step_is_told(
    medcam: Callable[..., Ended],
    served: list[tuple[Path, int]],
    opened: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = medcam("review")
    assert ended.code == 2
    assert "no-results" in ended.err
    assert "medcam demo" in ended.err
    assert served == []


def test_a_page_that_cannot_be_served_ends_with_its_code(
    medcam: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ReviewError("it stopped", code="review-stopped")

    monkeypatch.setattr(command, "serve_review", fail)
    ended = medcam("review", "--store", tmp_path)
    assert ended.code == 3
    assert "review-stopped" in ended.err
    assert "medcam doctor" in ended.err
