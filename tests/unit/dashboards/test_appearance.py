"""Dark or light: the script in front of Streamlit's page, and words that can be read on either ground."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from appearance import COOKIE, DARK, LIGHT, THEMES, Appearance, theme_options

PAGE = "<!DOCTYPE html><html><head><title>x</title></head><body></body></html>"


@pytest.fixture
def server():
    asked = []

    async def page(request):
        asked.append(dict(request.headers))
        return HTMLResponse(PAGE, headers={"ETag": '"1"', "Last-Modified": "x"})

    async def words(_request):
        return PlainTextResponse("<head>", headers={"ETag": '"2"'})

    app = Appearance(Starlette(routes=[Route("/", page), Route("/words", words)]))

    def get(path, **headers):
        async def send():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
                return await client.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})

        return asyncio.run(send())

    return get, asked


def test_a_page_gets_the_script_first_and_is_whole(server):
    get, asked = server
    got = get("/", accept="text/html", if_none_match='"1"', accept_encoding="gzip")

    assert got.status_code == 200
    assert got.text.startswith("<!DOCTYPE html><html><head><script>")
    assert got.text.endswith(PAGE.partition("<head>")[2])
    assert COOKIE in got.text
    assert int(got.headers["content-length"]) == len(got.content)
    assert not {"etag", "last-modified"} & set(got.headers)
    assert not {"accept-encoding", "if-none-match"} & set(asked[0])


def test_what_is_no_page_goes_by_untouched(server):
    get, _ = server
    got = get("/words", accept="text/html")
    assert (got.text, got.headers["etag"]) == ("<head>", '"2"')
    assert get("/", accept="*/*").text == PAGE


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", [DARK, LIGHT])
def test_words_stand_out_from_their_ground(name):
    theme = THEMES[name]
    grounds = (theme["backgroundColor"], theme["secondaryBackgroundColor"])
    for ground in grounds:
        for words in ("textColor", "linkColor", "primaryColor", "grayTextColor"):
            assert contrast(theme[words], ground) >= 4.5, (words, ground)
    for colour in ("blue", "green", "yellow", "red"):
        assert contrast(theme[f"{colour}TextColor"], theme[f"{colour}BackgroundColor"]) >= 4.5, colour
    assert contrast(theme["orangeTextColor"], theme["backgroundColor"]) >= 4.5
    assert contrast(theme["backgroundColor"], theme["primaryColor"]) >= 4.5  # words of the first button


def test_streamlit_knows_every_setting():
    from streamlit import config

    for name in theme_options():
        assert name in config.get_config_options(), name
