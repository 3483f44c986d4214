"""The tutorial "review your first study" as it is written; its pictures are taken here.

With MEDCAM_DOC_PICTURES=1 they replace those in docs/images.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.studies.opened import opened_store

from .servers.review_pages import Watch, review_pages
from .viewer_app.browser import PATIENCE, SCREENSHOTS, launch

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES_VARIABLE = "MEDCAM_DOC_PICTURES"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `medcam demo` leaves."""
    folder = tmp_path_factory.mktemp("tutorial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(folder / "audit.pem"))
        command = [sys.executable, "-m", "medcam", "demo", "--out", str(folder / "medcam-demo"), "--no-dashboard"]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
        yield folder / "medcam-demo"


@pytest.fixture(scope="module")
def page(require_tool: Callable[[str], str], demo: Path) -> Iterator[Page]:
    chromium, watch = require_tool("chromium"), Watch()
    with review_pages(demo, "--workers", "0") as pages, sync_playwright() as playwright:
        browser = launch(playwright, chromium)
        opened = browser.new_page(viewport={"width": 1280, "height": 800}, base_url=pages.address, locale="en-GB")
        opened.set_default_timeout(PATIENCE * 1000)
        watch.look_at(opened)
        yield opened
        browser.close()
    watch.check()


def take(page: Page, name: str) -> None:
    """Takes a picture when the page has ended its run."""
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(600)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"tutorial-{name}.png"
    assert page.screenshot(path=path).startswith(b"\x89PNG")
    if os.environ.get(PICTURES_VARIABLE):
        shutil.copyfile(path, IMAGES / path.name)


def test_the_tutorial_can_be_followed(page: Page, demo: Path) -> None:
    page.goto("/")
    expect(page.get_by_role("button", name="Open the first")).to_be_enabled()
    take(page, "worklist")

    page.keyboard.press("o")
    page.wait_for_selector("[data-ready=true]")
    take(page, "review")

    page.keyboard.press("a")
    expect(page.get_by_text("Kept:").first).to_be_visible()
    page.keyboard.press("Space")
    page.wait_for_function("() => location.search.includes('finding=')")
    page.wait_for_selector("[data-ready=true]")
    page.wait_for_timeout(500)
    page.keyboard.press("d")
    expect(page.get_by_text("Disagree").first).to_be_visible()

    stage = page.locator(".stage").first
    stage.focus()
    page.keyboard.press("b")
    box = stage.bounding_box()
    assert box is not None
    left, top = box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 90, top + 110, steps=5)
    page.mouse.up()
    take(page, "box")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1500)
    page.get_by_role("tab", name="Answers").click()
    take(page, "answers")

    page.keyboard.press("n")
    page.wait_for_selector("[data-ready=true]")
    with opened_store(demo, make=False) as opened:
        answers = [str(one.review.answer) for one in opened.reviews.all()]
    assert answers[:2] == ["agree", "disagree"]
    assert answers[2] in ("wrong-region", "missed")

    page.goto("/audit")
    page.get_by_role("button", name="Verify the trail").click()
    expect(page.get_by_text("Whole:")).to_be_visible()
    take(page, "audit")


def test_every_picture_of_the_tutorial_is_taken_here() -> None:
    text = (IMAGES.parent / "tutorials" / "review-your-first-study.md").read_text(encoding="utf-8")
    shown = {part.partition(")")[0] for part in text.split("](../images/")[1:]}
    assert shown == {f"tutorial-{name}.png" for name in ("worklist", "review", "box", "answers", "audit")}
    assert all((IMAGES / name).is_file() for name in shown)
