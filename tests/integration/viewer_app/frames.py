"""How long the viewer takes: python -m tests.integration.viewer_app.frames [--films N] [--chromium PATH].

A film of 2500 x 2048 pixels with 12 bits is shown in a window of 1280 x 800, with its map, contour and boxes over it.
For each renderer: the time from asking for the page until the film is painted, in a browser that has never asked before
and in one that has the page's scripts but not the film; and the time that the viewer's own script spends on a frame
while the window is dragged, the view is moved and the film is zoomed. With a graphics card this leaves out what the
card does afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from .browser import OpenViewer, launch, open_page, serving, viewers
from .films import film

WATCH = """root => {
  window.frames = [];
  new MutationObserver(() => window.frames.push(Number(root.dataset.frameMs)))
    .observe(root, { attributes: true, attributeFilter: ["data-frame-ms"] });
}"""
PAINTED = "() => performance.getEntriesByName('medcam-first-image').at(-1).startTime"
STEPS = 40


def first_image(browser: Browser | BrowserContext, address: str, renderer: str, copy: int) -> tuple[float, OpenViewer]:
    """Seconds from asking for the page until the film is painted, on the page's own clock, and the viewer.

    Another copy is another film to the browser, which it has to download.
    """
    shown = {"overlay": "1", "contour": "1", "boxes": "1"}
    page = open_page(browser, address, film="large", renderer=renderer, copy=str(copy), **shown)
    (viewer,) = viewers(page)
    return float(page.evaluate(PAINTED)) / 1000.0, viewer


def move(viewer: OpenViewer, button: str) -> None:
    box = viewer.stage.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = viewer.page.mouse
    mouse.move(x, y)
    mouse.down(button=button)  # type: ignore[arg-type]
    for step in range(STEPS):
        mouse.move(x + 3 * step, y + 2 * step)
        viewer.frame()
    mouse.up(button=button)  # type: ignore[arg-type]


def zoom(viewer: OpenViewer) -> None:
    for step in range(STEPS):
        viewer.page.mouse.wheel(0, -40 if step < STEPS / 2 else 40)
        viewer.frame()


def frames(viewer: OpenViewer) -> dict[str, list[float]]:
    """Milliseconds of script for each frame, by what the reader does."""
    viewer.root.evaluate(WATCH)
    taken = {}
    for name, act in {
        "window": lambda: move(viewer, "right"),
        "pan": lambda: move(viewer, "middle"),
        "zoom": lambda: zoom(viewer),
    }.items():
        viewer.page.evaluate("() => { window.frames.length = 0; }")
        act()
        taken[name] = [float(value) for value in viewer.page.evaluate("() => window.frames")]
    return taken


def measured(browser: Browser, address: str, renderer: str, films: int) -> dict[str, object]:
    first_image(browser, address, renderer, 0)[1].page.close()  # the server packs the film once
    cold, warm = [], []
    for copy in range(films):
        taken, viewer = first_image(browser, address, renderer, copy)  # a page of its own has a cache of its own
        cold.append(taken)
        viewer.page.close()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    _, viewer = first_image(context, address, renderer, films)
    for copy in range(films):
        viewer.page.close()
        taken, viewer = first_image(context, address, renderer, films + 1 + copy)
        warm.append(taken)
    drawn = viewer.root.get_attribute("data-renderer")
    result: dict[str, object] = {
        "renderer": drawn,
        "first_image_cold_s": _summary(cold),
        "first_image_s": _summary(warm),
    }
    for name, values in frames(viewer).items():
        result[f"{name}_frame_ms"] = _summary(values)
    context.close()
    return result


def _summary(values: list[float]) -> dict[str, float]:
    return {"n": len(values), "median": round(statistics.median(values), 3), "max": round(max(values), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=5, help="pages opened for each renderer")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args()
    rows, columns = film("large").pixels.shape
    about = {"film": f"{rows} x {columns}", "cores": os.cpu_count(), "python": platform.python_version()}
    with serving() as address, sync_playwright() as playwright:
        browser = launch(playwright, asked.chromium)
        about["chromium"] = browser.version
        sys.stdout.write(json.dumps(about) + "\n")
        for renderer in ("canvas", "webgl"):
            sys.stdout.write(json.dumps(measured(browser, address, renderer, asked.films)) + "\n")
            sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main()
