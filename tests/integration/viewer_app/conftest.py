"""One server and one browser for all tests of the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import sync_playwright

from .browser import OpenViewer, launch, open_page, serving, viewers

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    with serving() as where:
        yield where


@pytest.fixture(scope="package")
def browser(require_tool: Callable[[str], str]) -> Iterator[Browser]:
    # Ended with this folder's tests: while it lives, no other test of the process can run an event loop of its own.
    with sync_playwright() as playwright:
        launched = launch(playwright, require_tool("chromium"))
        yield launched
        launched.close()


@pytest.fixture
def look(browser: Browser, address: str) -> Iterator[Callable[..., list[OpenViewer]]]:
    """Opens a page with viewers for films; a page that reports an error in a script fails the test."""
    pages, broken = [], []

    def open_films(*names: str, size: tuple[int, int] = (1280, 800), **asked: str) -> list[OpenViewer]:
        page = open_page(browser, address, size, film=",".join(names), **asked)
        page.on("pageerror", lambda error: broken.append(str(error)))
        pages.append(page)
        return viewers(page, len(names))

    yield open_films
    for page in pages:
        page.close()
    assert broken == []
