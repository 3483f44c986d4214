"""Sign-in, a page, sign-out and refusal: a real provider, a real server and headless Chromium."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from .access_app.serve import DIGESTS, FILMS
from .access_app.servers import HOST, PATIENCE, Server, dashboard, provider
from .servers.processes import free_port
from .viewer_app.browser import FLAGS, SCREENSHOTS

HERE_ALONE = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}"
"""The provider's pages ask for a style from elsewhere. Playwright could stop that too, but not without the cache."""
PROXY, SECRET = "127.0.0.9", "a secret of the proxy's"
FILM = {study: f"/films/{study}/{digest}" for study, digest in DIGESTS.items()}


@pytest.fixture(scope="module")
def browser(require_tool: Callable[[str], str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=require_tool("chromium"), headless=True, args=[*FLAGS, HERE_ALONE]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def signed_in_by_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    people = [{"sub": name, "name": name.title(), "email": f"{name}@example.org"} for name in ("ada", "bob", "eve")]
    port = free_port()
    with (
        provider(*people) as issuer,
        dashboard(
            tmp_path_factory.mktemp("oidc"),
            "oidc",
            port=port,
            redirect_uri=f"http://{HOST}:{port}/oauth2callback",
            client_id="medcam",
            client_secret="a secret of the client's",
            server_metadata_url=f"{issuer}/.well-known/openid-configuration",
            cookie_secret="0123456789abcdef" * 4,
        ) as server,
    ):
        yield server


def sign_in(page: Page, server: Server, name: str, path: str = "/") -> None:
    """As a person does: the page refuses, the provider asks who it is, and leads back."""
    page.goto(server.address + path)
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "not-signed-in.png")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name=name, exact=True).click()


def fetch(page: Page, path: str) -> list[object]:
    """Status and text of what the page's own code fetches, from its cache if the browser likes."""
    return page.evaluate("async path => { const a = await fetch(path); return [a.status, await a.text()]; }", path)


def travelled(page: Page, path: str) -> list[int]:
    """Bytes that came over the network for each time that the page's own code fetched something."""
    sizes = "path => performance.getEntriesByName(location.origin + path).map(entry => entry.transferSize)"
    return page.evaluate(sizes, path)


def test_a_reader_signs_in_reads_and_signs_out(signed_in_by_provider: Server, context: BrowserContext) -> None:
    server, page = signed_in_by_provider, context.new_page()
    sign_in(page, server, "ada", "/?study=study-a")

    expect(page.get_by_role("heading", name="Worklist of Ada")).to_be_visible()
    expect(page.get_by_text("reader r1, reader, by http://127.0.0.1")).to_be_visible()
    expect(page.get_by_text("study study-a")).to_be_visible()
    assert fetch(page, FILM["study-a"]) == [200, FILMS["study-a"].decode()]
    assert fetch(page, FILM["study-b"])[0] == 404
    # The film travels once: then the browser has it, and after a reload it asks whether its copy is still good.
    assert fetch(page, FILM["study-a"])[0] == 200
    first, second = travelled(page, FILM["study-a"])
    page.reload()
    expect(page.get_by_text("study study-a")).to_be_visible()
    assert fetch(page, FILM["study-a"]) == [200, FILMS["study-a"].decode()]
    assert first > 2000
    assert second == 0
    assert travelled(page, FILM["study-a"])[0] < 1000
    picture = page.get_by_test_id("stImage").locator("img")
    expect(picture).to_have_js_property("naturalWidth", 8)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "film.bin", "mimeType": "application/octet-stream", "buffer": b"x" * 1000}
    )
    expect(page.get_by_text("film.bin has 1000 bytes")).to_be_visible()
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_text("Ada agrees")).to_be_visible()

    cookies = context.cookies()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()

    # Somebody kept a copy of the cookie, which is good for a month.
    context.add_cookies(cookies)
    page.goto(server.address)
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert context.request.get(server.address + FILM["study-a"]).status == 401
    events = server.events()
    assert ["login", "ada"] in events
    assert ["refused", "ada", FILM["study-b"], "not-found"] in events
    assert ["end", "ada", "signed-out"] in events


def test_the_next_reader_gets_nothing_of_the_last_ones(signed_in_by_provider: Server, context: BrowserContext) -> None:
    server, page = signed_in_by_provider, context.new_page()
    sign_in(page, server, "ada")
    expect(page.get_by_role("heading", name="Worklist of Ada")).to_be_visible()
    assert fetch(page, FILM["study-a"])[0] == 200
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    sign_in(page, server, "bob")

    expect(page.get_by_role("heading", name="Worklist of Bob")).to_be_visible()

    assert fetch(page, FILM["study-a"])[0] == 404
    assert fetch(page, FILM["study-b"]) == [200, FILMS["study-b"].decode()]


def test_who_is_known_to_the_provider_alone_is_not_admitted(
    signed_in_by_provider: Server, context: BrowserContext
) -> None:
    server, page = signed_in_by_provider, context.new_page()
    sign_in(page, server, "eve")

    expect(page.get_by_role("heading", name="You have no access to this dashboard")).to_be_visible()

    assert context.request.get(server.address + FILM["study-a"]).status == 403
    assert ["refused", "eve", "/", "not-admitted"] in server.events()


def test_a_page_that_is_left_alone_is_cleared(tmp_path: Path, context: BrowserContext) -> None:
    idle = 8.0
    with dashboard(tmp_path, "local", idle=idle) as server:
        page = context.new_page()
        page.goto(server.address)
        heading = page.get_by_role("heading", name="Worklist of Ada")
        expect(heading).to_be_visible()
        began = time.monotonic()
        while time.monotonic() < began + 1.25 * idle:
            page.mouse.move(400 + 100 * (time.monotonic() % 2), 300)
            page.wait_for_timeout(200)
        assert heading.is_visible()
        assert server.events() == [["login", page_user(server)]]

        expect(page.get_by_role("heading", name="Your session ended")).to_be_visible()
        assert server.events()[1] == ["end", page_user(server), "idle"]
        page.get_by_role("link", name="Sign in").click()
        page.get_by_role("button", name="Continue").click()
        expect(heading).to_be_visible()


def page_user(server: Server) -> str:
    return str(server.events()[0][1])


def test_a_server_believes_its_proxy_and_nobody_who_only_says_so(tmp_path: Path) -> None:
    options = {"proxies": [PROXY], "secret_header": "X-Proxy-Secret", "secret": SECRET}
    page = {"Accept": "text/html"}
    ada = {"X_Forwarded_User": "ada", "X_Proxy_Secret": SECRET}
    with dashboard(tmp_path, "header", **options) as server:
        assert server.ask("/_stcore/health")[0] == 200
        assert server.ask("/", PROXY, **page, **ada)[0] == 200
        # From elsewhere, once plainly and once in the name of the proxy, which uvicorn would believe by itself.
        assert server.ask("/", HOST, **page, **ada)[0] == 401
        assert server.ask("/", HOST, X_Forwarded_For=PROXY, **page, **ada)[0] == 401
        assert server.ask("/", PROXY, X_Forwarded_User="ada", **page)[0] == 401
        assert server.ask(FILM["study-a"], PROXY, **ada)[0] == 401
        assert server.ask("/static/../_stcore/health", HOST)[0] == 400
        events = server.events()
    assert events == [
        ["login", "ada"],
        ["refused", None, "/", "forged-header"],
        ["refused", None, "/", "forged-header"],
        ["refused", None, "/", "wrong-secret"],
        ["refused", "ada", FILM["study-a"], "no-session"],
        ["refused", None, "/static/../_stcore/health", "bad-path"],
    ]
