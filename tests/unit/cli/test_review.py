"""`medcam review`: what is asked of the server, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.cli import review as command
from medcam.service import review as service
from medcam.service.review import ReviewError
from medcam.service.review_settings import ReviewSettings

from .conftest import Ended


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ReviewSettings]]:
    """Store and settings of each page that was served; a page is ready at once and ends at once."""
    pages: list[tuple[str, ReviewSettings]] = []

    def serve(store: str, settings: ReviewSettings, on_ready: Callable[[str], None]) -> None:
        pages.append((store, settings))
        on_ready(f"http://127.0.0.1:{settings.port}")

    monkeypatch.setattr(service, "check_store", lambda named: str(named))
    monkeypatch.setattr(service, "serve_review", serve)
    monkeypatch.setattr(service, "has_display", lambda: False)
    return pages


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that a browser was opened on."""
    addresses: list[str] = []
    monkeypatch.setattr(command.webbrowser, "open", addresses.append)
    return addresses


def test_the_address_and_the_intended_use_are_said(
    medcam: Callable[..., Ended], served: list[tuple[str, ReviewSettings]], opened: list[str], tmp_path: Path
) -> None:
    ended = medcam("review", "--store", tmp_path, "--port", 8765)
    assert ended.code == 0
    assert "http://127.0.0.1:8765" in ended.out
    assert "Research use. Not a medical device." in ended.out
    assert served == [(str(tmp_path), ReviewSettings("127.0.0.1", 8765))]
    assert opened == []


def test_a_browser_is_opened_where_there_is_a_display(
    medcam: Callable[..., Ended],
    served: list[tuple[str, ReviewSettings]],
    opened: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "has_display", lambda: True)
    assert medcam("review", "--store", tmp_path).code == 0
    assert opened == [f"http://127.0.0.1:{command.DEFAULT_PORT}"]


def test_without_results_the_next_step_is_told(
    medcam: Callable[..., Ended],
    tmp_path: Path,
) -> None:
    ended = medcam("review", "--store", tmp_path / "none")
    assert ended.code == 2
    assert "no-store" in ended.err
    assert "medcam demo" in ended.err


def test_how_readers_sign_in_comes_from_a_file(
    medcam: Callable[..., Ended], served: list[tuple[str, ReviewSettings]], tmp_path: Path
) -> None:
    path = tmp_path / "sign-in.toml"
    path.write_text('sign_in = "proxy"\n[proxy]\nproxies = ["192.0.2.7"]\n')
    ended = medcam("review", "--store", "s", "--sign-in", path, "--address", "192.0.2.1", "--idle-minutes", 5)
    assert ended.code == 0
    assert served == [("s", ReviewSettings("192.0.2.1", 8501, "proxy", {"proxies": ["192.0.2.7"]}, 5.0))]


def test_a_page_that_cannot_be_served_ends_with_its_code(
    medcam: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ReviewError("it stopped", code="review-stopped")

    monkeypatch.setattr(service, "serve_review", fail)
    monkeypatch.setattr(service, "check_store", lambda named: str(named))
    ended = medcam("review", "--store", tmp_path)
    assert ended.code == 3
    assert "review-stopped" in ended.err
    assert "medcam doctor" in ended.err
