"""Two films beside each other, and dark and light, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from medcam.core.reader import Reader, Role
from medcam.core.worklist import WorklistQuery
from medcam.dicom import DxAttributes, save_dx
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.store import audit_events

from .servers.review_pages import Watch, review_pages
from .viewer_app.browser import PATIENCE, SCREENSHOTS, OpenViewer, launch

SIZE = {"width": 1280, "height": 800}
NOBODY = Reader(0, "local", "nobody", "Nobody", frozenset({Role.READER}), everything=True)
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, save_tiny_model: Callable[..., Path]) -> Iterator[OpenedStore]:
    """Two studies of one patient, each of one film of noise, annotated by two random networks."""
    folder = tmp_path_factory.mktemp("compare")
    models = [
        save_tiny_model(folder / "a", "Nodule", "Pleural Effusion"),
        save_tiny_model(folder / "b", "Nodule", "Mass"),
    ]
    (folder / "films").mkdir()
    for number, side in enumerate((256, 320)):
        coarse = np.random.default_rng(number).integers(500, 3500, (8, 8)).astype(np.uint16)
        pixels = np.kron(coarse, np.ones((side // 8, side // 8), np.uint16))
        attributes = DxAttributes(seed=f"pair-{number}", window=(2048, 4096), patient_name="DOE^JO")
        save_dx(folder / "films" / f"{number}.dcm", pixels, attributes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(folder / "audit.pem"))
        for model in models:
            options = AnnotateOptions(str(model), outputs=(Output.JSON,), workers=1, store=str(folder / "store"))
            annotate([folder / "films"], folder / f"out-{model.name}", options)
        opened = open_studies(folder / "store")
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def studies(store: OpenedStore) -> list[str]:
    """The earlier study and the later one."""
    lines = store.worklist.page(WorklistQuery(), NOBODY, now=0.0).lines
    return [line.study.id for line in sorted(lines, key=lambda line: line.study.study_date)]


@pytest.fixture(scope="module")
def address(store: OpenedStore) -> Iterator[str]:
    with review_pages(store.address.label) as pages:
        yield pages.address


@pytest.fixture(scope="module")
def browser(require_tool: Callable[[str], str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright, require_tool("chromium"))
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens pages whose every request is watched: none may leave this computer, and no script may fail."""
    watch = Watch()
    opened = []

    def at(path: str, locale: str = "en-GB") -> Page:
        # A computer that is set to light: the pages are dark until their reader says otherwise.
        context = browser.new_context(viewport=SIZE, base_url=address, locale=locale, color_scheme="light")
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        watch.look_at(page, context)
        page.goto(path)
        return page

    yield at
    for context in opened:
        context.close()
    watch.check()


def settled(page: Page) -> None:
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(300)


def films(page: Page, count: int) -> list[OpenViewer]:
    """The viewers of a page as soon as they show their films, and the page has ended its run."""
    roots: Locator = page.locator(".medcam-viewer[data-ready=true]")
    roots.nth(count - 1).wait_for()
    settled(page)
    return [OpenViewer(page, roots.nth(number)).wait() for number in range(count)]


def keep_picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    assert page.screenshot(path=SCREENSHOTS / f"{name}.png").startswith(b"\x89PNG")


def test_the_prior_film_comes_by_a_key_and_both_move_together(
    visit: Callable[..., Page], store: OpenedStore, studies: list[str]
) -> None:
    page = visit(f"/review?study={studies[1]}")
    films(page, 1)
    page.keyboard.press("2")
    now, before = films(page, 2)
    expect(page.locator(".film-title").nth(1)).to_contain_text("years before")
    keep_picture(page, "prior-dark")

    fitting = [viewer.matrix()[0, 0] for viewer in (now, before)]
    for key in ("+", "+", "ArrowRight", "k"):
        now.press(key)  # each in a frame of its own
    before.frame()
    grown = [viewer.matrix()[0, 0] / fit for viewer, fit in zip((now, before), fitting, strict=True)]
    assert grown == pytest.approx([1.25**2] * 2, rel=1e-4)
    # The same share of each film lies in the middle: they are 256 and 320 pixels wide, or the other way round.
    middles = [middle(viewer) for viewer in (now, before)]
    assert sorted((middles[0] / middles[1], middles[1] / middles[0])) == pytest.approx([256 / 320, 320 / 256], rel=0.02)
    assert before.root.get_by_role("button", name="Contour", exact=True).get_attribute("aria-pressed") == "false"

    before.press("3", "0")
    assert before.matrix()[0, 0] == pytest.approx(fitting[1], rel=1e-4)
    assert now.matrix()[0, 0] == pytest.approx(1.25**2 * fitting[0], rel=1e-4)
    looks = [event for event in audit_events(store.store) if event.kind == "study-viewed"]
    assert [(look.study, "beside" in look.details) for look in looks][-2:] == [(studies[1], False), (studies[0], True)]


def middle(viewer: OpenViewer) -> float:
    """The source column in the middle of the view."""
    stage = viewer.stage.bounding_box()
    assert stage is not None
    return viewer.on_film(stage["x"] + stage["width"] / 2, stage["y"])[0]


def test_two_models_stand_side_by_side_by_a_link_from_the_review(
    visit: Callable[..., Page], store: OpenedStore, studies: list[str]
) -> None:
    page = visit(f"/review?study={studies[1]}")
    films(page, 1)
    page.get_by_role("button", name="Compare models").click()
    page.wait_for_url("**/compare?*")
    left, right = films(page, 2)
    left.press("+")
    right.frame()
    assert right.matrix() == pytest.approx(left.matrix(), rel=1e-4)
    page.get_by_test_id("stButtonGroup").get_by_text("Mass").click()
    expect(page.get_by_text("does not know this finding")).to_be_visible()
    page.get_by_test_id("stButtonGroup").get_by_text("Nodule").click()
    expect(page.get_by_text("intersection over union")).to_be_visible()
    [film] = store.films.films(studies[1])
    said = {one.id for one in store.films.explanations(film.id)}
    viewed = {event.details["explanation"] for event in audit_events(store.store) if event.kind == "study-viewed"}
    assert said <= viewed

    page.reload()
    films(page, 2)
    expect(page.locator("tr.marked")).to_contain_text("Nodule")


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_the_line_below_the_films_is_not_under_the_foot_of_the_page(
    visit: Callable[..., Page], studies: list[str], locale: str
) -> None:
    page = visit(f"/compare?study={studies[1]}", locale=locale)
    films(page, 2)
    # The first line of small print below the films says what the colours mean.
    line = page.locator(".stMainBlockContainer [data-testid=stCaptionContainer]").first.bounding_box()
    foot = page.get_by_test_id("stBottom").bounding_box()
    assert line is not None
    assert foot is not None
    assert line["y"] + line["height"] <= foot["y"]


def test_the_viewer_leads_to_how_a_map_can_mislead(visit: Callable[..., Page], studies: list[str]) -> None:
    page = visit(f"/review?study={studies[0]}")
    (viewer,) = films(page, 1)
    viewer.press("?")
    with page.context.expect_page() as told:
        viewer.root.locator(".caution").get_by_role("link", name="How a heatmap can mislead").click()
    expect(told.value.get_by_text("It explains the score, not the patient.")).to_be_visible(timeout=PATIENCE * 1000)
    settled(told.value)
    keep_picture(told.value, "misleading-dark")


def look_at_each(page: Page, study: str, appearance: str) -> None:
    """Every page once, with a picture, and with words that stand out."""
    ground = {"dark": "rgb(13, 16, 19)", "light": "rgb(244, 245, 246)"}[appearance]
    for name, path, count in (
        ("worklist", "/", 0),
        ("review", f"/review?study={study}", 1),
        ("compare", f"/compare?study={study}", 2),
        ("models", "/models", 0),
        ("audit", "/audit", 0),
    ):
        page.goto(path)
        page.locator(".research-use").wait_for()
        films(page, count) if count else settled(page)
        assert page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor") == ground
        keep_picture(page, f"{name}-{appearance}")
        assert page.evaluate(CONTRAST) == [], f"{name} {appearance}"
        # It would have been found:
        page.locator(".research-use").evaluate(
            "e => (e.style.color = getComputedStyle(e.closest('.stApp')).backgroundColor)"
        )
        assert len(page.evaluate(CONTRAST)) == 1
        for stage in page.locator(".stage").all():
            assert stage.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(7, 9, 11)"


def test_the_pages_are_dark_until_their_reader_chooses_light(visit: Callable[..., Page], studies: list[str]) -> None:
    page = visit("/")
    look_at_each(page, studies[1], "dark")
    page.get_by_test_id("stExpandSidebarButton").click()
    with page.expect_navigation():
        page.get_by_test_id("stButtonGroup").get_by_text("Light").click()
    page.locator(".research-use").wait_for()
    settled(page)
    look_at_each(page, studies[1], "light")


def test_korean_fits_the_window(visit: Callable[..., Page], studies: list[str]) -> None:
    page = visit(f"/review?study={studies[1]}", locale="ko-KR")
    films(page, 1)
    expect(page.locator(".panel h3").first).to_have_text("소견")
    page.keyboard.press("2")
    films(page, 2)
    keep_picture(page, "prior-korean")
    for path in ("/compare", "/review"):
        page.goto(f"{path}?study={studies[1]}")
        films(page, 1)
        wide = page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide <= 0
        cut = page.locator(".medcam-viewer .toolbar, .medcam-viewer .panel").evaluate_all(
            "all => all.map(e => e.scrollWidth - e.clientWidth)"
        )
        assert max(cut) <= 0
    keep_picture(page, "review-korean")
