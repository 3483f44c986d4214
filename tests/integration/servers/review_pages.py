"""`medcam review` as a process, and a browser whose requests are watched."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

from ..viewer_app.browser import PATIENCE, wait_until_ready
from .processes import free_port


@dataclass
class ReviewPages:
    """The server of the pages.

    Args:
        port: Its port on 127.0.0.1.
        code: How it ended; None while it runs.
        said: What it printed, as soon as it has ended.
    """

    port: int
    code: int | None = None
    said: str = ""

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def review_pages(store: object, *options: str) -> Iterator[ReviewPages]:
    """Serves a store; the server is ended by SIGTERM, as a system does it."""
    pages = ReviewPages(free_port())
    command = [sys.executable, "-m", "medcam", "review", "--store", str(store), "--port", str(pages.port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            wait_until_ready(server, pages.port)
            yield pages
        finally:
            server.send_signal(signal.SIGTERM)
            pages.said, _ = server.communicate(timeout=PATIENCE)
            pages.code = server.returncode


@dataclass
class Watch:
    """What the pages of a browser did.

    Args:
        asked: Hosts that were asked for anything.
        broken: Scripts that failed.
    """

    asked: set[str | None] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def look_at(self, page: Page, context: BrowserContext | None = None) -> None:
        """Watches a page, and the requests of its whole context where that is given."""
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        (context or page).on("request", lambda request: self.asked.add(urlsplit(request.url).hostname))

    def check(self) -> None:
        """Nothing may have left this computer, and no script may have failed."""
        assert self.asked - {None} <= {"127.0.0.1"}
        assert self.broken == []
