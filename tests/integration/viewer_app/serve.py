"""Serves the page and its films: python -m tests.integration.viewer_app.serve PORT."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .films import FILMS, ROOT, packed


def send_film(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILMS:
        return Response(status_code=404)
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(packed(name).data, media_type="application/octet-stream", headers=headers)


def options(port: int) -> dict[str, Any]:
    """This computer only, dark, nothing sent anywhere."""
    return {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "global.developmentMode": False,
        "runner.postScriptGC": False,
        "client.toolbarMode": "minimal",
        "logger.level": "warning",
        "theme.base": "dark",
        "theme.backgroundColor": "#0d1013",
    }


def main() -> None:
    sys.path.insert(0, str(ROOT / "dashboards"))
    app = st.App(Path(__file__).with_name("page.py"), routes=[Route("/films/{name}", send_film)])
    app.run(config=options(int(sys.argv[1])))


if __name__ == "__main__":
    main()
