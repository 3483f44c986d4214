"""The page in a real browser: the server's process, Chromium, and a viewer's parts by name."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright

from medcam.core.arrays import ByteArray

from ..servers.processes import free_port
from .films import COLUMNS, ROOT, ROWS

PATIENCE = 180.0
SCREENSHOTS = ROOT / "build" / "screenshots"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
"""Chromium neither asks for a graphics card nor calls home, and shows colours as they are."""


@contextmanager
def serving() -> Iterator[str]:
    """The page's address while its server runs."""
    port = free_port()
    command = [sys.executable, "-m", "tests.integration.viewer_app.serve", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            wait_until_ready(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=PATIENCE)


def wait_until_ready(server: subprocess.Popen[str], port: int) -> None:
    """Until the server of pages says that it is well; raises RuntimeError with what it printed where it does not."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(server.communicate()[0])
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("the page did not answer")


def launch(playwright: Playwright, chromium: str) -> Browser:
    return playwright.chromium.launch(executable_path=chromium, headless=True, args=list(FLAGS))


@dataclass(frozen=True)
class OpenViewer:
    """One viewer on an open page."""

    page: Page
    root: Locator

    @property
    def stage(self) -> Locator:
        return self.root.locator(".stage")

    def wait(self) -> OpenViewer:
        self.page.wait_for_function("e => e.dataset.ready === 'true'", arg=self.root.element_handle())
        return self

    def settle(self) -> None:
        """Until the frame after the coarse ones is drawn."""
        self.page.wait_for_timeout(220)

    def press(self, *keys: str) -> None:
        self.stage.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.frame()

    def frame(self) -> None:
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def words(self, role: str) -> str:
        return self.root.locator(f"[data-role={role}]").inner_text()

    def matrix(self, pane: int = 0) -> np.ndarray:
        """2 x 3, from source pixels to CSS pixels of the stage."""
        text = self.root.locator(".world").nth(pane).get_attribute("transform") or ""
        a, b, c, d, e, f = map(float, re.findall(r"-?[\d.]+(?:e-?\d+)?", text))
        return np.array([[a, c, e], [b, d, f]])

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        """A source point as a point of the page, for the mouse."""
        box = self.stage.bounding_box()
        assert box
        left, top = self.matrix() @ (x, y, 1.0)
        return box["x"] + float(left), box["y"] + float(top)

    def on_film(self, x: float, y: float) -> tuple[float, float]:
        """A point of the page as a source point."""
        box = self.stage.bounding_box()
        assert box
        matrix = self.matrix()
        inside = np.linalg.solve(matrix[:, :2], (x - box["x"], y - box["y"]) - matrix[:, 2])
        return float(inside[0]), float(inside[1])

    def drag(self, *points: tuple[float, float], button: Any = "left") -> None:
        """Drags through source points."""
        places = [self.on_screen(*point) for point in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down(button=button)
        for place in places[1:]:
            self.page.mouse.move(*place, steps=3)
        self.page.mouse.up(button=button)
        self.frame()

    def picture(self) -> ByteArray:
        """What the stage shows: uint8 RGB."""
        data = np.frombuffer(self.stage.screenshot(), np.uint8)
        return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def film(self, pane: int = 0) -> ByteArray:
        """The pixels of a small film in the picture, as seen at one to one: turned films in their turned size."""
        corners = self.matrix(pane) @ np.array([[0, COLUMNS], [0, ROWS], [1, 1]], float)
        left, top, right, bottom = (round(edge) for edge in (*corners.min(axis=1), *corners.max(axis=1)))
        assert np.array_equal(corners, np.rint(corners)), "a pixel of the film is a pixel of the screen"
        return self.picture()[top:bottom, left:right]

    def letters(self) -> dict[str, str]:
        """The letters at the edges that show one."""
        found = self.root.locator(".letter").evaluate_all("all => all.map(e => [e.dataset.edge, e.textContent])")
        return {edge: letter for edge, letter in found if letter}

    def answer(self) -> Any:
        return json.loads(self.page.locator("#answer").inner_text())

    def runs(self) -> int:
        return int(self.page.locator("#runs").inner_text())


def open_page(
    browser: Browser | BrowserContext, address: str, size: tuple[int, int] = (1280, 800), **asked: str
) -> Page:
    """A page with viewers: in a browser one with a cache of its own, in a context one of the context's size."""
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_page(viewport=viewport) if isinstance(browser, Browser) else browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(f"{address}/?" + "&".join(f"{name}={value}" for name, value in asked.items()))
    return page


def viewers(page: Page, count: int = 1) -> list[OpenViewer]:
    """The viewers of a page as soon as they show their films."""
    roots = page.locator(".medcam-viewer")
    roots.nth(count - 1).wait_for()
    return [OpenViewer(page, roots.nth(number)).wait() for number in range(count)]


def save(viewer: OpenViewer, name: str) -> None:
    """Keeps a picture of the page for the eye."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    viewer.page.screenshot(path=SCREENSHOTS / f"viewer-{name}.png")
