"""The server of the review pages, as a program: `python serve.py`, started by `medcam review`.

What it shows and how it listens comes from the environment, as `medcam.service.review` sets it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from access import IDENTITY, FilmBytes, Gate, HeaderWay, Hooks, Limits, LocalWay, OidcWay, Way, film_route
from appearance import Appearance, theme_options
from components.film_view import MAPS
from desk import StoreAccess, opened_desk
from housekeeping import keep_house, load
from medcam.core.errors import InvalidValueError, MedcamError, UsageError
from medcam.service.review_settings import SETTINGS_VARIABLE, ReviewSettings
from viewer import offered

LARGEST_UPLOAD = 1024
"""MiB of a file that a reader hands in."""
HOME = Path(__file__).with_name("home.py")


def main() -> None:
    """Serves until it is ended."""
    try:
        settings = ReviewSettings.from_json(os.environ[SETTINGS_VARIABLE])
        way = way_of(settings)
        way.check_start(settings.address)
        app = app_of(settings, way)
        load()
        keep_house()
    except MedcamError as error:
        raise SystemExit(f"error [{error.code}]: {error.message}\n  {error.next_step}") from error
    app.run(config=options(settings))


def app_of(settings: ReviewSettings, way: Way) -> st.App:
    """The pages, their films and the gate before both.

    Raises:
        MedcamError: The store cannot be opened.
    """
    # `home.py` says which pages there are. Until it has run once, Streamlit would serve the files of `pages/` by
    # themselves to whoever comes by a link.
    PagesManager.uses_pages_directory = False
    access = StoreAccess(opened_desk())
    hooks = Hooks(on_login=access.note_login, on_refused=access.note_refused, on_end=access.note_end)
    gate = Middleware(Gate, way=way, access=access, hooks=hooks, limits=Limits(idle=60.0 * settings.idle_minutes))
    secrets = way.secrets() if isinstance(way, OidcWay) else None
    routes = [film_route(access, access.load_film), film_route(access, load_maps, MAPS)]
    return st.App(HOME, secrets=secrets, routes=routes, middleware=[gate, Middleware(Appearance)])


def load_maps(study: str, digest: str) -> FilmBytes | None:
    """What a viewer shows of a film of a study beside its pixels, where a page that was drawn refers to it."""
    data = offered(f"{MAPS}/{study}/{digest}")
    # Not packed: a packer would take longer than the line.
    return None if data is None else FilmBytes(data, encoding=IDENTITY, media_type="application/json")


def way_of(settings: ReviewSettings) -> Way:
    """How readers sign in.

    Raises:
        UsageError: The settings do not fit the way (code `sign-in`).
    """
    given = dict(settings.sign_in_settings)
    try:
        if settings.sign_in == "local":
            return LocalWay(**given)
        for name in ("proxies", "hosts"):
            if name in given:
                given[name] = frozenset(given[name]) if name == "hosts" else tuple(given[name])
        return OidcWay(**given) if settings.sign_in == "oidc" else HeaderWay(**given)
    except (TypeError, InvalidValueError) as error:
        raise UsageError(
            f"the settings of the sign-in cannot be used ({error})",
            code="sign-in",
            next_step="Compare them with the page on OpenID Connect or on proxies in the documentation.",
        ) from error


def options(settings: ReviewSettings) -> dict[str, Any]:
    """Streamlit's settings. All that matter are pinned: a user's own must neither move nor open the pages."""
    return {
        "server.address": settings.address,
        "server.port": settings.port,
        "server.baseUrlPath": "",
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.headless": True,
        "server.maxUploadSize": LARGEST_UPLOAD,
        "server.showEmailPrompt": False,
        "server.fileWatcherType": "none",
        # Seconds for which a page that lost its line may come back to where it was. What a reader answered is in the
        # store by then, and a session that waits holds the maps that it showed.
        "server.disconnectedSessionTTL": 30,
        "browser.gatherUsageStats": False,
        "runner.postScriptGC": False,
        # A line that is but a text is for who reads the source, not for who reads films.
        "runner.magicEnabled": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "type",
        "client.showSidebarNavigation": False,
        "global.developmentMode": False,
        "logger.level": "warning",
        "logger.hideWelcomeMessage": True,
        **theme_options(),
    }


if __name__ == "__main__":
    main()
