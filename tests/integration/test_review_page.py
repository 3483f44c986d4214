"""The review pages in a real browser: studies are annotated into a store, served by `medcam review`, and read."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from medcam.core.reader import Reader, Role
from medcam.core.worklist import WorklistQuery
from medcam.dicom import DxAttributes, save_dx
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.store import audit_events

from .servers.review_pages import Watch, review_pages
from .viewer_app.browser import PATIENCE, SCREENSHOTS, launch

STUDIES = 3
NOBODY = Reader(0, "local", "nobody", "Nobody", frozenset({Role.READER}), everything=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, save_tiny_model: Callable[..., Path]) -> Iterator[OpenedStore]:
    """Three studies of one film of noise each, annotated by a random network."""
    folder = tmp_path_factory.mktemp("review")
    model = save_tiny_model(folder / "model", "Nodule", "Pleural Effusion")
    (folder / "films").mkdir()
    for number in range(STUDIES):
        coarse = np.random.default_rng(number).integers(500, 3500, (8, 8)).astype(np.uint16)
        pixels = np.kron(coarse, np.ones((32, 32), np.uint16))
        attributes = DxAttributes(seed=f"review-{number}", window=(2048, 4096), patient_name=f"DOE^N{number}")
        save_dx(folder / "films" / f"{number}.dcm", pixels, attributes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(folder / "audit.pem"))
        options = AnnotateOptions(str(model), outputs=(Output.JSON,), workers=1, store=str(folder / "store"))
        annotate([folder / "films"], folder / "out", options)
        opened = open_studies(folder / "store")
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def studies(store: OpenedStore) -> list[str]:
    return [line.study.id for line in store.worklist.page(WorklistQuery(), NOBODY, now=0.0).lines]


@pytest.fixture(scope="module")
def chromium(require_tool: Callable[[str], str]) -> str:
    return require_tool("chromium")


@pytest.fixture(scope="module")
def address(chromium: str, store: OpenedStore) -> Iterator[str]:
    """Where `medcam review` serves the store; it is ended by SIGTERM, in good order."""
    with review_pages(store.address.label) as pages:
        yield pages.address
    assert pages.code == 0, pages.said
    assert f"Review: {pages.address}" in pages.said
    assert "Research use. Not a medical device." in pages.said
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", pages.port), timeout=5):
        pass


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright, chromium)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose every request is watched: none may leave this computer, and no script may fail."""
    watch = Watch()
    opened = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address, locale="en-GB")
    opened.set_default_timeout(PATIENCE * 1000)
    watch.look_at(opened)
    yield opened
    opened.close()
    watch.check()


def ready(page: Page) -> None:
    """Until the film is painted and the page has ended its run."""
    page.wait_for_selector("[data-ready=true]:not([data-left])")
    settled(page)


def settled(page: Page) -> None:
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(250)


def keep_picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    picture = page.screenshot(path=SCREENSHOTS / f"{name}.png")
    assert picture.startswith(b"\x89PNG")


def study_of(page: Page) -> str:
    return page.url.partition("study=")[2].partition("&")[0]


def test_the_worklist_and_the_intended_use_are_shown(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".research-use")).to_contain_text("Research use. Not a medical device.")
    expect(page.get_by_text("0 of 3 done")).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    settled(page)
    keep_picture(page, "worklist")


def test_three_studies_are_read_by_keys_alone(page: Page, store: OpenedStore, studies: list[str]) -> None:
    page.goto("/")
    expect(page.get_by_role("button", name="Open the first")).to_be_enabled()
    settled(page)
    page.keyboard.press("o")
    read = []
    for number in range(STUDIES):
        page.wait_for_function("before => !before.includes(location.search)", arg=[f"?study={one}" for one in read])
        ready(page)
        if number == 0:
            keep_picture(page, "review")
        study = study_of(page)
        read.append(study)
        page.keyboard.press("a")
        expect(page.get_by_text("Kept:").first).to_be_visible()
        # The address is the next study's before its film is there: what is left must not be taken for it.
        page.evaluate("document.querySelectorAll('[data-ready]').forEach(viewer => { viewer.dataset.left = 'true' })")
        page.keyboard.press("n")
    expect(page.get_by_text("3 of 3 done")).to_be_visible()

    assert sorted(read) == sorted(studies)
    kept = [one.review for one in store.reviews.all()]
    assert [review.study for review in kept] == read
    assert {str(review.answer) for review in kept} <= {"agree"}
    kinds = [event.kind for event in audit_events(store.store)]
    assert kinds.count("study-viewed") == kinds.count("study-finished") == kinds.count("review-added") == STUDIES


def test_a_box_that_is_drawn_corrects_the_region(page: Page, store: OpenedStore, studies: list[str]) -> None:
    page.goto(f"/review?study={studies[0]}")
    ready(page)
    before = len(store.reviews.of_study(studies[0]))
    stage = page.locator(".stage")
    box = stage.bounding_box()
    assert box is not None
    stage.focus()
    page.keyboard.press("b")
    left, top = box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 60, top + 90, steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Kept:").first).to_be_visible()

    kept = store.reviews.of_study(studies[0])[before:]
    assert [str(one.review.answer) for one in kept] in (["wrong-region"], ["missed"])
    region = kept[0].review.region
    assert region is not None
    assert region.box.width / region.box.height == pytest.approx(60 / 90, rel=0.1)
    assert kept[0].review.display["rotation"] == 0


def test_a_link_opens_a_study_and_a_finding(page: Page, studies: list[str]) -> None:
    page.goto(f"/review?study={studies[1]}&finding=Pleural Effusion")
    ready(page)
    expect(page.locator("tr.marked").first).to_contain_text("Pleural Effusion")
    page.reload()
    ready(page)
    expect(page.locator("tr.marked").first).to_contain_text("Pleural Effusion")


def test_looking_asks_the_server_nothing(page: Page, studies: list[str]) -> None:
    page.goto(f"/review?study={studies[0]}")
    ready(page)
    stage = page.locator(".stage")
    box = stage.bounding_box()
    assert box is not None
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    middle = (box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down(button="right")
    page.mouse.move(middle[0] + 80, middle[1] + 40, steps=20)
    page.mouse.up(button="right")
    page.mouse.wheel(0, -200)
    for key in ("i", "t", "f", "s", "o", "k"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)

    # What tells the server that its reader is still there is no part of looking.
    assert [url for url in asked if not url.endswith("/session")] == []


def test_nothing_is_told_to_whoever_is_nobody_or_asks_for_what_is_not_there(
    browser: Browser, address: str, page: Page, store: OpenedStore, studies: list[str]
) -> None:
    film = store.films.films(studies[0])[0].sha256
    stranger = browser.new_context(base_url=address)
    assert stranger.request.get(f"/films/{studies[0]}/{film}").status == 401
    stranger.close()
    page.goto("/")
    settled(page)
    assert page.request.get(f"/films/{studies[0]}/{film}").status == 200
    assert page.request.get(f"/films/{studies[1]}/{film}").status == 404
    assert page.request.get(f"/films/{'0' * 16}/{film}").status == 404
    with page.expect_request("**/maps/**") as asked:
        page.goto(f"/review?study={studies[0]}")
    maps = urlsplit(asked.value.url).path
    assert page.request.get(maps).status == 200
    assert page.request.get(maps.replace(studies[0], studies[1])).status == 404
    stranger = browser.new_context(base_url=address)
    assert stranger.request.get(maps).status == 401
    stranger.close()
    page.goto(f"/review?study={'0' * 16}")
    expect(page.get_by_text("There is no such study among yours.")).to_be_visible()


def test_models_and_audit_have_their_pages(page: Page) -> None:
    page.goto("/models")
    expect(page.get_by_text("Findings with operating threshold")).to_be_visible()
    settled(page)
    keep_picture(page, "models")
    page.goto("/audit")
    page.get_by_role("button", name="Verify the trail").click()
    expect(page.get_by_text("Whole:")).to_be_visible()
    settled(page)
    keep_picture(page, "audit")


def test_the_pages_speak_the_browsers_language(browser: Browser, address: str) -> None:
    korean = browser.new_page(base_url=address, locale="ko-KR", viewport={"width": 1440, "height": 900})
    korean.goto("/")
    expect(korean.get_by_text("판독 목록").first).to_be_visible(timeout=PATIENCE * 1000)
    expect(korean.locator("canvas").first).to_be_visible(timeout=PATIENCE * 1000)
    settled(korean)
    keep_picture(korean, "worklist-korean")
    korean.close()
