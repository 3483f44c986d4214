"""The review page in a browser: films are annotated, served by `medcam review` and looked at in headless Chromium."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from medcam.core.explanation import Explanation
from medcam.dicom import DxAttributes, save_dx
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.run import annotate
from medcam.service.explanations.explanation_json import read_explanation

PATIENCE = 60.0
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Chromium neither asks for a graphics card nor calls home."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, save_tiny_model: Callable[..., Path]) -> Path:
    """One film of noise, annotated by a random network: all that the page shows of it is known from its record."""
    folder = tmp_path_factory.mktemp("review")
    model = save_tiny_model(folder / "model", "Nodule", "Pleural Effusion")
    coarse = np.random.default_rng(4).integers(500, 3500, (8, 8)).astype(np.uint16)
    pixels = np.kron(coarse, np.ones((32, 32), np.uint16))
    save_dx(folder / "film.dcm", pixels, DxAttributes(seed="review", window=(2048, 4096)))
    findings = ("nodule", "pleural-effusion")
    annotate([folder / "film.dcm"], folder / "out", AnnotateOptions(str(model), findings, workers=1))
    return folder / "out"


@pytest.fixture(scope="module")
def explanation(results: Path) -> Explanation:
    (path,) = results.glob("*/*/explanation.json")
    return read_explanation(path)


@pytest.fixture(scope="module")
def chromium(require_tool: Callable[[str], str]) -> str:
    return require_tool("chromium")


@pytest.fixture(scope="module")
def address(chromium: str, results: Path) -> Iterator[str]:
    """Where `medcam review` serves the results; it is ended by SIGTERM, in good order."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "medcam", "review", "--store", str(results), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            wait_until_ready(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            said, _ = server.communicate(timeout=PATIENCE)
    assert server.returncode == 0, said
    assert f"Review page: http://127.0.0.1:{port}" in said
    assert "Research use. Not a medical device." in said
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def wait_until_ready(server: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    pytest.fail("the page did not answer")


def in_logit_units(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−") if abs(value) >= 0.0005 else "0.000"


def test_a_reader_sees_the_film_its_numbers_and_the_intended_use(
    address: str, chromium: str, explanation: Explanation, tmp_path: Path
) -> None:
    from playwright.sync_api import expect, sync_playwright

    asked: set[str | None] = set()
    broken: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(QUIET))
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.set_default_timeout(PATIENCE * 1000)
            page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
            page.on("pageerror", lambda error: broken.append(str(error)))
            page.goto(address)
            expect(page.locator(".research-use")).to_contain_text(
                "Research use. Not a medical device.", timeout=PATIENCE * 1000
            )
            choice = page.get_by_role("radiogroup", name="Finding", exact=True)
            findings = page.locator("table.medcam", has_text="All findings")
            ledger = page.locator("table.balance", has_text="Ledger, in logit units")
            for finding in explanation.findings:
                choice.get_by_text(finding.name, exact=True).click()
                row = findings.locator("tr.marked")
                expect(row).to_contain_text(finding.name)
                expect(row).to_contain_text(f"{finding.probability:.3f}")
                expect(row).to_contain_text(f"{finding.threshold:.3f}")
                evidence = finding.evidence
                assert evidence is not None
                for value in (evidence.bias, evidence.total_positive, evidence.total_negative, finding.logit):
                    expect(ledger).to_contain_text(in_logit_units(value))
                picture = page.get_by_test_id("stImage").locator("img")
                expect(picture).to_have_js_property("complete", True)
                assert picture.evaluate("image => image.naturalWidth") > 0
            screenshot = page.screenshot(path=tmp_path / "review.png")
            refused = page.request.get(f"{address}/_stcore/health", headers={"Origin": "http://example.org"})
        finally:
            browser.close()
    assert screenshot.startswith(b"\x89PNG")
    assert "access-control-allow-origin" not in {name.lower() for name in refused.headers}
    assert asked - {None} == {"127.0.0.1"}
    assert broken == []
