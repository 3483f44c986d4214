"""Serves the page and its films: python -m tests.integration.viewer_app.serve PORT."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from medcam.service.review import streamlit_command

from .films import FILMS, ROOT, packed


def send_film(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILMS:
        return Response(status_code=404)
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(packed(name).data, media_type="application/octet-stream", headers=headers)


def typed(word: str) -> str | int | bool:
    """A word of the command line as the value that it stands for."""
    return int(word) if word.isdigit() else {"true": True, "false": False}.get(word, word)


def options(port: int) -> dict[str, Any]:
    """As the review page is served, but for what only the command line may set."""
    command = streamlit_command(port)
    words = command[command.index("run") + 2 :]
    pairs = [(name.removeprefix("--"), value) for name, value in zip(words[::2], words[1::2], strict=True)]
    settings: dict[str, Any] = {name: typed(value) for name, value in pairs if name != "server.allowedHosts"}
    settings["server.allowedHosts"] = [value for name, value in pairs if name == "server.allowedHosts"]
    return settings


def main() -> None:
    sys.path.insert(0, str(ROOT / "dashboards"))
    app = st.App(Path(__file__).with_name("page.py"), routes=[Route("/films/{name}", send_film)])
    app.run(config=options(int(sys.argv[1])))


if __name__ == "__main__":
    main()
