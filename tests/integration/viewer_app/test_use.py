"""Looking asks the server nothing, drawn regions reach it, and everything works without a mouse or a graphics card."""

from __future__ import annotations

import re

import numpy as np
import pytest

from .browser import save, viewers


def test_looking_asks_nothing_of_the_server(look):
    (viewer,) = look("linear", overlay="1", contour="1", boxes="1")
    page, asked = viewer.page, []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        "() => { const send = WebSocket.prototype.send; window.sent = 0;"
        " WebSocket.prototype.send = function (...all) { window.sent += 1; return send.apply(this, all); }; }"
    )
    before = viewer.picture()
    window = viewer.words("window")
    viewer.drag((100, 100), (160, 130), button="right")
    assert viewer.words("window") != window
    assert not np.array_equal(viewer.picture(), before)
    viewer.press("5")
    assert viewer.words("window") == window
    viewer.press("w")
    viewer.drag((100, 100), (80, 160))
    assert viewer.words("window") != window
    viewer.press(
        "v", "6", "7", "8", "9", "i", "t", "f", "y", "o", "k", "j", "z", "e", "q", "s", "[", ".", "+", "0", "u"
    )
    viewer.drag((100, 100), (160, 100))
    viewer.root.locator("[data-slider='map.threshold']").fill("4")
    viewer.root.locator("[data-slider='map.opacity']").fill("0.9")
    viewer.root.locator("[data-finding='Cardiomegaly']").click()
    page.mouse.wheel(0, -200)
    viewer.press("b")
    viewer.drag((60, 60), (120, 130))
    viewer.settle()

    assert page.evaluate("window.sent") == 0
    assert asked == []
    assert viewer.runs() == 1


def test_a_drawn_box_and_outline_reach_python_in_source_pixels(look):
    (viewer,) = look("linear", overlay="1")
    page = viewer.page
    viewer.press("t", "s", "b")
    viewer.drag((50, 60), (150, 160))
    viewer.drag((150, 160), (170, 190))  # its corner
    viewer.drag((100, 100), (110, 95))  # its inside
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#runs').textContent === '2'")
    answer = viewer.answer()
    assert (answer["kind"], answer["finding"]) == ("box", "Pleural effusion")
    assert [[point["x"], point["y"]] for point in answer["points"]] == pytest.approx(
        np.array([[60, 55], [180, 185]]), abs=0.6
    )
    assert (answer["display"]["rotation"], answer["display"]["overlay"], answer["display"]["window"]) == (
        90,
        True,
        None,
    )
    assert viewer.root.get_by_role("button", name="Confirmed").is_disabled()

    viewer.press("Delete", "l", "i")
    viewer.drag((50, 50), (120, 60), (130, 140), (60, 150), (52, 60))
    save(viewer, "outline")
    viewer.root.get_by_role("button", name="Confirm (Enter)").click()
    page.wait_for_function("() => document.querySelector('#runs').textContent === '3'")
    answer = viewer.answer()
    assert answer["kind"] == "outline"
    assert answer["display"]["invert"]
    points = np.array([[point["x"], point["y"]] for point in answer["points"]])
    assert 4 <= len(points) <= 12
    assert np.concatenate((points.min(axis=0), points.max(axis=0))) == pytest.approx([50, 50, 130, 150], abs=1.5)
    # The page ran twice more, and the view stayed as the reader left it.
    assert viewer.letters() == {"top": "R", "bottom": "L", "right": "H", "left": "F"}
    viewer.press("Enter")
    assert viewer.runs() == 3


def test_each_finding_has_its_own_scale_and_threshold(look):
    (viewer,) = look("linear", overlay="1")
    slider, ticks = viewer.root.locator("[data-slider='map.threshold']"), viewer.root.locator(".ticks span")
    assert (ticks.last.inner_text(), slider.get_attribute("max")) == ("8", "8")
    slider.fill("4")
    viewer.press("s")
    assert (ticks.last.inner_text(), slider.get_attribute("max")) == ("20", "20")
    assert slider.input_value() == "1"
    slider.fill("15")
    assert slider.input_value() == "15"
    viewer.press("S")
    assert (ticks.last.inner_text(), slider.input_value()) == ("8", "1")


def test_the_keyboard_alone_will_do(look):
    (viewer,) = look("linear", overlay="1", contour="1")
    page = viewer.page
    page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', event => window.heard.push(event.key)); }"
    )
    order = []
    for _ in range(40):
        page.keyboard.press("Tab")
        order.append(page.evaluate(FOCUSED))
    order = order[next(i for i, name in enumerate(order) if name) :]  # what comes before belongs to the page
    stage = next(i for i, name in enumerate(order) if name.startswith("Film linear"))
    assert order[0].startswith("Move the film")
    assert all("(" in name for name in order[:stage])
    assert order[stage + 1].startswith("Lung opacity, probability 0.870, threshold 0.500, present")
    viewer.stage.focus()
    assert viewer.stage.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"

    viewer.press("b", "x", *["ArrowRight"] * 3, *["ArrowDown"] * 2, *["Shift+ArrowRight"] * 2)
    zoom = viewer.matrix()[0, 0]
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#runs').textContent === '2'")
    (left, top), (right, bottom) = [(point["x"], point["y"]) for point in viewer.answer()["points"]]
    half = (right - left - 12 / zoom) / 2
    assert (left + half, top + half) == pytest.approx((130 + 18 / zoom, 150 + 12 / zoom), abs=0.02)
    assert bottom - top == pytest.approx(2 * half, abs=0.02)

    viewer.press("Delete", "u", "x", *["Shift+ArrowRight"] * 4, "x")
    assert viewer.words("ruler") == f"{120 / zoom * 0.2:.1f}".rstrip("0").rstrip(".") + " mm at the detector plane"
    viewer.press(
        "Escape", "l", "x", "ArrowRight", "Shift+ArrowDown", "x", "Shift+ArrowLeft", "x", "Backspace", "x", "Enter"
    )
    page.wait_for_timeout(50)
    assert viewer.root.get_by_role("button", name="Confirmed").is_visible()
    page.wait_for_function("() => document.querySelector('#runs').textContent === '3'")
    assert len(viewer.answer()["points"]) == 3

    viewer.press("n", "p", "a", "d")
    assert {"n", "p", "a", "d"} <= set(page.evaluate("window.heard"))
    assert not {"x", "b", "ArrowRight"} & set(page.evaluate("window.heard"))


def test_the_help_sheet_holds_the_focus_and_names_every_key(look):
    (viewer,) = look("linear")
    viewer.press("?")
    sheet = viewer.root.get_by_role("dialog", name="Keys and pointer")
    save(viewer, "help")
    active = "e => e.getRootNode().activeElement.textContent.slice(0, 5)"
    assert sheet.evaluate(active) == "Close"
    for key in ("Tab", "Tab"):
        viewer.page.keyboard.press(key)
    assert sheet.evaluate(active) == "Close"
    viewer.page.keyboard.press("i")  # a key of the sheet's list does nothing while it is open
    said = sheet.inner_text()
    words = viewer.root.evaluate(
        "root => [...root.querySelectorAll('*')].flatMap(e => [e.title, e.getAttribute('aria-label'), e.textContent])"
    )
    # A word that is missing from the catalogue shows as its key.
    assert not [word for word in words if word and re.search(r"\b[a-z]+\.[a-z]+[A-Z.]?\w*\b", word)]
    assert len(re.findall(r"\n", said)) > 60
    viewer.page.keyboard.press("Escape")
    assert not sheet.is_visible()
    assert viewer.stage.evaluate("e => e.getRootNode().activeElement === e")
    assert np.array_equal(
        viewer.root.locator("button[aria-pressed]").evaluate_all(
            "all => all.every(e => e.getAttribute('aria-label') || e.textContent)"
        ),
        True,
    )


def test_a_lost_graphics_card_is_told_and_the_film_stays(look):
    (viewer,) = look("linear", renderer="webgl", findings="0")
    viewer.press("1")
    before = viewer.picture()
    viewer.root.locator(".stage canvas").evaluate(
        "c => c.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()"
    )
    notice = viewer.root.get_by_role("alert")
    notice.wait_for()
    assert "graphics card stopped" in notice.inner_text()
    assert viewer.root.get_attribute("data-renderer") == "canvas"
    notice.get_by_role("button", name="Close").click()
    viewer.frame()
    assert np.array_equal(viewer.film(), viewer.film())
    assert np.array_equal(viewer.picture(), before)


def test_a_failed_download_can_be_tried_again(browser, address):
    page = browser.new_page()
    tried = []

    def answer(route):
        tried.append(route.request.url)
        if len(tried) == 1:
            route.abort()
        elif len(tried) == 2:
            route.fulfill(status=403)
        else:
            route.continue_()

    page.route("**/films/**", answer)
    page.goto(f"{address}/?film=linear&findings=0")
    alert = page.get_by_role("alert").filter(has_text="could not be loaded")
    alert.wait_for()
    assert "did not answer" in alert.inner_text()
    alert.get_by_role("button", name="Try again").click()
    page.get_by_text("Sign in again").wait_for()
    page.get_by_role("button", name="Try again").click()
    (viewer,) = viewers(page)
    assert not viewer.root.locator(".message").is_visible()
    page.close()


def test_it_can_be_read_and_keeps_still_where_asked(look):
    (viewer,) = look("chest", overlay="1", contour="1", boxes="1")
    viewer.press("y", "z", "s", "Shift+S")
    viewer.page.emulate_media(reduced_motion="reduce")
    assert viewer.root.locator("button").first.evaluate("e => getComputedStyle(e).transitionDuration") == "0s"
    contrasts = viewer.root.evaluate(CONTRASTS)
    assert len(contrasts) > 30
    assert {words: ratio for words, ratio in contrasts if ratio < 4.5} == {}
    save(viewer, "side-by-side")


FOCUSED = """() => {
  const focused = document.activeElement.shadowRoot?.activeElement;
  return focused ? focused.getAttribute('aria-label') || focused.textContent : '';
}"""

CONTRASTS = """root => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
      .map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = e => {
    for (let at = e; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)|transparent/.test(colour)) return colour;
    }
  };
  return [...root.querySelectorAll('button, h3, p, span, label, output')]
    .filter(e => e.offsetParent && !e.disabled && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => {
      const pair = [light(getComputedStyle(e).color), light(ground(e))].sort((a, b) => b - a);
      return [e.textContent, (pair[0] + 0.05) / (pair[1] + 0.05)];
    });
}"""
