"""The page on agreement in a real browser: a reading study in a store, served by `medcam review`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from reading_study import FINDINGS, NAMES, keep_films, read_films

from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.store import find_events

from .servers.review_pages import Watch, review_pages
from .viewer_app.browser import PATIENCE, SCREENSHOTS, launch


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenedStore]:
    """Four readers who read eighty films blind and aided."""
    folder = tmp_path_factory.mktemp("agreement")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(folder / "audit.pem"))
        opened = open_studies(folder / "store")
        read_films(opened, keep_films(opened, 80))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def page(require_tool: Callable[[str], str], store: OpenedStore) -> Iterator[Page]:
    """A page whose every request is watched: none may leave this computer, and no script may fail."""
    chromium, watch = require_tool("chromium"), Watch()
    with review_pages(store.address.label) as pages, sync_playwright() as playwright:
        browser = launch(playwright, chromium)
        opened = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=pages.address, locale="en-GB")
        opened.set_default_timeout(PATIENCE * 1000)
        watch.look_at(opened)
        yield opened
        browser.close()
    watch.check()


def keep_picture(page: Page, name: str) -> None:
    """The whole page: its own scroll area is made as high as what is in it."""
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(400)
    height = page.evaluate("() => document.querySelector('.stMainBlockContainer').scrollHeight + 80")
    page.set_viewport_size({"width": 1440, "height": max(900, height)})
    page.wait_for_timeout(400)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    picture = page.screenshot(path=SCREENSHOTS / f"{name}.png")
    assert picture.startswith(b"\x89PNG")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_agreement_is_shown_chosen_and_exported(page: Page, store: OpenedStore, tmp_path: Path) -> None:
    page.goto("/agreement")
    page.wait_for_selector("table.medcam")
    expect(page.locator("table.medcam").first).to_contain_text("Pleural Effusion")
    expect(page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")).to_have_count(3)
    expect(page.get_by_text("Agreement is not accuracy")).to_be_visible()
    keep_picture(page, "agreement")
    with page.expect_download() as told:
        page.get_by_role("button", name="Export as CSV").click()
    told.value.save_as(tmp_path / "agreement.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "agreement.csv").read_text(encoding="utf-8"))))

    page.goto("/agreement?phase=Aided&agreed-on=Nodule")
    page.wait_for_selector("tr.marked")
    expect(page.get_by_text("had been shown the model’s call")).to_be_visible()
    expect(page.locator("tr.marked")).to_contain_text("Nodule")
    keep_picture(page, "agreement-aided")

    assert {row["finding"] for row in rows} == {"", *FINDINGS}
    assert {row["first"] for row in rows if row["table"] == "reader-model"} == {
        f"{name.split()[0].lower()}@local" for name in NAMES
    }
    [exported] = find_events(store.store, kind="agreement-exported")
    assert exported.details["rows"] == len(rows)
    assert len(find_events(store.store, kind="agreement-viewed")) == 2
