"""The page Explore in a real browser: files are dropped, a worker process explains them, and they are let go of."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from medcam.dicom import DxAttributes, save_dx
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.store import audit_events

from .servers.review_pages import Watch, review_pages
from .viewer_app.browser import PATIENCE, SCREENSHOTS, launch


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenedStore]:
    """An empty store."""
    folder = tmp_path_factory.mktemp("explore")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(folder / "audit.pem"))
        opened = open_studies(folder / "store")
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(require_tool: Callable[[str], str], store: OpenedStore) -> Iterator[str]:
    """Where `medcam review` serves the store, with a worker beside it."""
    require_tool("chromium")
    with review_pages(store.address.label) as pages:
        yield pages.address
    assert pages.code == 0, pages.said


@pytest.fixture
def page(require_tool: Callable[[str], str], address: str) -> Iterator[Page]:
    watch = Watch()
    with sync_playwright() as playwright:
        browser = launch(playwright, require_tool("chromium"))
        opened = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address, locale="en-GB")
        opened.set_default_timeout(PATIENCE * 1000)
        watch.look_at(opened)
        yield opened
        browser.close()
    watch.check()


@pytest.fixture
def files(tmp_path: Path, shipped_phantom: Path) -> list[Path]:
    """A film, an archive with another file in it, and a film that is cut off."""
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(shipped_phantom.read_bytes()[:5000])
    pixels = np.kron(np.random.default_rng(1).integers(500, 3500, (8, 8)), np.ones((32, 32))).astype(np.uint16)
    save_dx(tmp_path / "noise.dcm", pixels, DxAttributes(seed="explore", window=(2048, 4096), patient_name="DOE^OWN"))
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.write(tmp_path / "noise.dcm", "noise.dcm")
    return [shipped_phantom, tmp_path / "study.zip", broken]


@pytest.fixture(scope="session")
def shipped_phantom() -> Path:
    """A film of the sample data."""
    return sorted((Path(__file__).parents[2] / "sample_data").rglob("*.dcm"))[0]


def settled(page: Page) -> None:
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(250)


def test_own_files_are_explained_shown_kept_and_let_go_of(page: Page, store: OpenedStore, files: list[Path]) -> None:
    page.goto("/explore")
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_role("button", name="Explain")).to_be_enabled()
    settled(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "explore-drop.png")
    page.get_by_role("button", name="Explain").click()

    page.wait_for_selector("[data-ready=true]")
    settled(page)
    assert "submission=" in page.url
    page.screenshot(path=SCREENSHOTS / "explore.png")
    page.get_by_role("button", name="1 refused, 0 passed over").click()
    expect(page.get_by_text("broken.dcm")).to_be_visible()
    expect(page.get_by_text("truncated-pixel-data")).to_be_visible()
    page.keyboard.press("Escape")
    assert store.films.counts()["studies"] == 0

    own = page.url
    page.goto(own.replace("submission=", "submission=0")[:-1])
    expect(page.get_by_text("there is no such submission").first).to_be_visible()
    page.goto(own)
    page.wait_for_selector("[data-ready=true]")
    settled(page)
    page.get_by_role("button", name="Keep in the store").click()
    expect(page.get_by_text("Kept: 2 studies.")).to_be_visible()
    assert store.films.counts()["studies"] == 2

    page.get_by_role("button", name="Let go of them now").click()
    expect(page.get_by_text("Hand in films of your own")).to_be_visible()
    settled(page)
    assert "submission=" not in page.url
    assert list((store.address.films / "submissions").iterdir()) == []
    kinds = [event.kind for event in audit_events(store.store)]
    assert [kind for kind in kinds if kind.startswith("submission-")] == [
        "submission-taken",
        "submission-kept",
        "submission-discarded",
    ]
